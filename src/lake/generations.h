#pragma once

#include "base/result.h"
#include "io/env.h"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace questlog::lake {

inline constexpr std::string_view success_name = "_SUCCESS"; ///< Beside the files of a whole generation.
inline constexpr std::string_view parquet_suffix = ".parquet";
/// Of a generation whose files another engine wrote.
inline constexpr std::string_view facts_file_name = "_questlog.json";

/// A random UUID (version 4) as text: 8-4-4-4-12 hex digits.
[[nodiscard]] std::string random_uuid(io::Entropy& entropy);

/// Where a table lies that may be in the midst of a swap by renames (io::Files::exchange): `folder`, or what
/// `find_aside` tells, which knows where such swaps put the old table meanwhile (empty: there is none). Empty: nowhere.
/// For readers, who hold no lock: what is found may move again.
Result<std::string> place_in_swap(io::Files& files, const std::string& folder,
                                  const std::function<Result<std::string>()>& find_aside);

/// Where the generations of one table lie: the present one in the table's folder, one being made in a staging folder,
/// replaced ones in a retired folder. Moves files only; knows nothing of Parquet. For the holder of the table's lock.
///
///   ROOT/<path>/                                  the table
///   ROOT/.staging/<escaped path>/<uuid>/          a generation before its swap; the one it replaced, right after it
///   ROOT/.staging/<escaped path>/<uuid>.exchange/ the new one, during a swap where the file system cannot exchange
///   ROOT/.retired/<escaped path>/<ms>-<uuid>/     replaced at wall-clock <ms>
///   ROOT/.locks/<escaped path>.lock
class Generations {
public:
    Generations(io::Env env, const std::string& root, const std::string& path);

    /// Makes the folders, ends what a crashed writer had begun, and deletes what it left.
    Status recover();

    /// Moves the finished real file `scratch_file` into a fresh staging folder as `name` beside `_SUCCESS`, all of it
    /// durable. Returns the folder. On an error nothing of it is left.
    Result<std::string> stage(const std::string& scratch_file, const std::string& uuid, const std::string& name);

    /// Likewise of files that another engine wrote and that are synced: moves each `from` of `folder` into the staging
    /// folder as `to`, with a file of `facts` beside them. `folder` is removed.
    struct Move {
        std::string from;
        std::string to;
    };
    Result<std::string> stage_files(const std::string& folder, const std::string& uuid, const std::vector<Move>& moves,
                                    const std::string& facts);
    /// A path in the staging folder, of this name.
    [[nodiscard]] std::string staging_path(const std::string& name) const { return staging_ + "/" + name; }

    /// Swaps a staged folder in as the table's; durable on success. On an error the table is the old one, or, if only
    /// the durability could not be had, the new one (the error says which); `staged` may then hold the old one.
    Status swap_in(const std::string& staged);

    /// Puts the generation that swap_in() replaced among the retired, and sweeps. Best effort: what stays is deleted
    /// later.
    void retire(const std::string& staged);

    /// Deletes retired generations past their grace, and those beyond the number that is kept.
    Status sweep();

    [[nodiscard]] const std::string& folder() const { return folder_; }
    /// Where the present generation lies: the table's folder, or in staging, while a swap by renames is under way. For
    /// readers, who hold no lock. Empty: there is none.
    static Result<std::string> place_of(io::Files& files, const std::string& root, const std::string& path);
    [[nodiscard]] static std::string lock_file(const std::string& root, const std::string& escaped);
    /// As `escaped` names it under ROOT/.retired: for sweeping tables whose path is not known.
    static Status sweep_folder(io::Env env, const std::string& retired);

private:
    Status fill(const std::string& staged, const std::string& scratch_file, const std::string& name);
    Status fill_with_files(const std::string& staged, const std::string& folder, const std::vector<Move>& moves,
                           const std::string& facts);
    Status complete(const std::string& staged);
    Status put_in_place(const std::string& staged);
    Status put_back(const std::vector<io::Entry>& leftovers);
    static std::string set_aside(const std::vector<io::Entry>& staged);
    static std::string staging_of(const std::string& root, const std::string& path);

    io::Env env_;
    std::string folder_;
    std::string parent_;
    std::string staging_;
    std::string retired_;
};

} // namespace questlog::lake
