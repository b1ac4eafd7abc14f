#pragma once

#include "base/result.h"
#include "event/json_node.h"
#include "lake/delta_state.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

/// Reading Delta's actions, ours and other writers'. For the .cpp files of lake/ alone.
namespace questlog::lake {

/// Brings a table's state from one version to a later one, action by action. What is not known is passed over.
///
/// Errors: `corrupt` for what is no action; `reject` where it takes another program to read the table, which `table`
/// names in the message. After an error, finish() is not called.
class DeltaReplay {
public:
    explicit DeltaReplay(std::string table, DeltaState state = {});

    /// The lines of a commit, in whatever order: it takes files away before it adds some.
    Status add_commit(std::int64_t version, std::string_view lines);
    /// One row of the checkpoint of a version: `{"add": {...}, "txn": null, ...}`.
    Status add_checkpoint_row(std::int64_t version, std::string_view row);

    [[nodiscard]] std::int64_t version() const { return state_.version; }
    [[nodiscard]] bool has_metadata() const { return has_metadata_; }
    /// The state let go of files, and another program has done to some what takes all of them to follow: there is
    /// nothing to finish().
    [[nodiscard]] bool takes_all_files() const { return takes_all_files_; }
    [[nodiscard]] DeltaState finish() &&;

private:
    Status apply(const event::JsonNode& action);
    void remove(const event::JsonNode& action);
    Status add(const event::JsonNode& action);

    std::string table_;
    DeltaState state_;
    bool has_metadata_;
    bool is_foreign_ = false; ///< The present commit: another program's, which may not have synced it.
    bool takes_all_files_ = false;
    std::unordered_map<std::string, std::size_t> places_; ///< Of the files, in state_.files, by path.
    std::vector<bool> is_gone_;                           ///< Of state_.files.
};

/// The columns of Delta's text of a schema, into `metadata`.
Status read_schema(const std::string& schema, const std::string& table, DeltaMetadata& metadata);

} // namespace questlog::lake
