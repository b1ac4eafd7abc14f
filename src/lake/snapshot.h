#pragma once

#include "base/guarded.h"
#include "base/result.h"
#include "base/strong.h"
#include "duck/duck.h"
#include "event/schema.h"
#include "io/env.h"
#include "io/scratch_folder.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Snapshot tables: one generation of uniquely named Parquet files, replaced as a whole. docs/formats/snapshot.md.
namespace questlog::lake {

namespace limits {
inline constexpr int open_attempts_max = 100; ///< Each one is lost only to a swap between listing and opening.
inline constexpr std::chrono::milliseconds retired_grace{60'000}; ///< How long a replaced generation's files stay.
inline constexpr std::size_t retired_generations_max = 3; ///< A table's; the oldest go before their grace is over.
} // namespace limits

struct LandedRange {
    std::int32_t partition = 0;
    Offset from;
    Offset to; ///< One past the last offset that was looked at.
};

/// One of several files of a generation.
struct DataFile {
    std::string name; ///< In the table's folder.
    std::int64_t bytes = 0;
    std::int64_t rows = 0;
};

/// What a generation says of itself, in its Parquet footer (key "questlog.snapshot"), or, where another engine wrote
/// its files, in a file beside them. rows + filtered + dead_lettered is `examined`, always.
struct SnapshotFacts {
    std::string log_id;
    std::string topic;
    std::string declaration; ///< scan::TableDeclaration::digest()
    std::vector<LandedRange> ranges;
    /// Of the table's columns, by column name, so that a tail can be widened to it. null: no event of the range had a
    /// value there, whatever type the file gives it.
    event::Schema schema;
    std::map<std::string, std::string> keys;     ///< The events' keys by column name, of columns named otherwise.
    std::map<std::string, std::string> replaced; ///< The same of every column that `set` replaced.
    std::vector<std::string> nulls;              ///< Those columns of `schema`, sorted.
    std::int64_t examined = 0;                   ///< Events of the ranges, all of them.
    std::int64_t rows = 0;                       ///< Landed.
    std::int64_t filtered = 0;                   ///< Events of the range that are not of the table.
    std::int64_t dead_lettered = 0;              ///< Events of the range that are no events.
    std::vector<DataFile> files; ///< In the order of their rows. Empty: there is one, whose footer has the facts.
};

/// One generation, opened: its files stay readable, also after a newer one replaced it, while this lives.
struct Snapshot {
    SnapshotFacts facts;
    std::vector<std::string> files; ///< Paths to give to read_parquet, in order; explicit, never a glob.
    std::vector<std::string> names; ///< The files' names in the table's folder.
    std::int64_t bytes = 0;
    std::vector<std::shared_ptr<io::File>> open_files;
};

/// What is damaged and how, of an error `corrupt` of SnapshotStore::open(), without the advice in it.
[[nodiscard]] std::string damage_of(const Error& error);

/// A generation that was written and swapped in.
struct Landed {
    SnapshotFacts facts;
    std::string name; ///< Of its file, or the first of them, in the table's folder.
    std::int64_t bytes = 0;
};

struct OverwriteOptions {
    /// True: a folder that questlog did not write (Spark's, say) is replaced too, and with it what lies in it.
    bool force = false;
    /// Asked once the file is written and before readers see it; an error abandons the new generation. May be empty.
    std::function<Status(const SnapshotFacts& written)> accept;
};

class Generations;

/// The one writer of one table, in all processes: holds its lock. What a crashed writer left is put right first.
class TableWriter {
public:
    ~TableWriter();
    TableWriter(TableWriter&&) noexcept;
    TableWriter(const TableWriter&) = delete;
    TableWriter& operator=(const TableWriter&) = delete;
    TableWriter& operator=(TableWriter&&) = delete;

    /// Writes the result of `select` on `connection` (threads=1, or bytes differ from run to run) as the table's new
    /// generation and swaps it in: durable and complete when this returns; before, readers see the old one, whole.
    /// Of `facts` the caller fills in log_id, topic, declaration, ranges, examined and dead_lettered; the rest follows
    /// from what was written. `retry_later` on a full disk, `reject` for a folder that is not questlog's; after any
    /// error readers still see the old generation, unless the error says that the swap itself could not be made
    /// durable: then they see the new one, and a power cut may bring the old one back.
    Result<Landed> overwrite(duck::Connection& connection, const std::string& select, SnapshotFacts facts,
                             const OverwriteOptions& options);

    /// A fresh folder's path, under the lake's root, for another engine to make and to write Parquet files into:
    /// readers do not look there. It is removed by adopt(), by abandon(), or by the table's next writer.
    [[nodiscard]] std::string foreign_folder();
    void abandon(const std::string& folder);
    /// The Parquet files in that folder, by name. An error where the engine did not finish it (it has no `_SUCCESS`).
    Result<std::vector<std::string>> files_in(const std::string& folder);
    /// Makes these files of the folder, in the order of their rows, the table's new generation; else as overwrite().
    /// `connection` reads their footers. `internal` where their columns are not `columns`, by name and type.
    Result<Landed> adopt(duck::Connection& connection, const std::string& folder, const std::vector<std::string>& names,
                         const std::vector<std::pair<std::string, duck::ValueType>>& columns, SnapshotFacts facts,
                         const OverwriteOptions& options);

    [[nodiscard]] const std::string& path() const { return path_; }

private:
    friend class SnapshotStore;
    Status check_replaceable(const OverwriteOptions& options);
    [[nodiscard]] Error not_staged(const Error& error) const;
    Result<Landed> swap_in(Landed landed, const std::string& staged);
    TableWriter(class SnapshotStore& store, std::string path, std::unique_ptr<Generations> generations,
                std::unique_ptr<io::Lock> lock);

    class SnapshotStore& store_;
    std::string path_;
    std::unique_ptr<Generations> generations_;
    std::unique_ptr<io::Lock> lock_;
};

/// The lake root and the snapshot tables under it. Any thread; writers of one table exclude each other by its lock.
/// Readers take no lock and write nothing.
class SnapshotStore {
public:
    SnapshotStore(io::Env env, std::string root, std::shared_ptr<duck::Database> database);

    /// The present generation; nullopt where the table was never landed. `corrupt` names a damaged file, or a folder
    /// whose file is gone; `reject` a folder that holds something else than one generation of ours. Each says what to
    /// do.
    Result<std::optional<Snapshot>> open(const std::string& path);

    /// Takes the table's lock; `retry_later` naming the holder if another writer has it. The store must outlive it.
    Result<TableWriter> writer(const std::string& path);

    /// writer() and overwrite() in one.
    Result<SnapshotFacts> overwrite(const std::string& path, duck::Connection& connection, const std::string& select,
                                    SnapshotFacts facts, const OverwriteOptions& options = {});

    /// What overwrite() would write, made beside the table where no reader looks: to be compared, and then forgotten.
    struct Copy {
        io::Files::LibraryPath path;
        std::string location; ///< For io::Files.
    };
    Result<Copy> copy(duck::Connection& connection, const std::string& select, const SnapshotFacts& facts);
    Status forget(const Copy& copy);

    /// Deletes replaced generations whose grace is over, of every table that is not being written right now.
    Status sweep();

    [[nodiscard]] const std::string& root() const { return root_; }

private:
    friend class TableWriter;

    /// A path for a file that COPY is to write, in this store's scratch directory.
    Result<std::string> scratch_file(const std::string& name);

    io::Env env_;
    std::string root_;
    std::shared_ptr<duck::Database> database_;
    io::ScratchFolder scratch_;
};

} // namespace questlog::lake
