#include "lake/continuous_table.h"

#include "lake/generations.h"
#include "lake/table_path.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fmt/format.h>

namespace questlog::lake {
namespace {

constexpr std::string_view file_prefix = "part-";
constexpr std::string_view file_suffix = ".parquet";
constexpr std::string_view transaction_prefix = "questlog:";
constexpr std::string_view generation_prefix = "-g";
constexpr std::string_view generation_key = "questlog.generation";
constexpr std::string_view topic_key = "questlog.topic";
constexpr std::string_view type_key = "questlog.event_type";
constexpr std::string_view column_key_prefix =
    "questlog.key."; ///< and the column's name: of keys that are not the name
constexpr std::string_view dead_letters_value = "true";
constexpr std::string_view replacement_prefix = "rebuild-";
constexpr int looks_max = 5; ///< Each one is lost only to another step of a swap.
constexpr std::string_view dead_letters_key = "questlog.dead_letters";

/// Takes the number behind the last '-'.
std::optional<std::int64_t> take_last_number(std::string_view& text) {
    const std::size_t dash = text.rfind('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const std::string_view digits = text.substr(dash + 1);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size() || number < 0) return std::nullopt;
    text = text.substr(0, dash);
    return number;
}

event::ColumnType column_type(duck::ValueType type) {
    switch (type) {
    case duck::ValueType::boolean: return event::ColumnType::boolean;
    case duck::ValueType::bigint: return event::ColumnType::bigint;
    case duck::ValueType::double_: return event::ColumnType::double_;
    default: return event::ColumnType::string;
    }
}

/// Of LogStretch::transaction(); empty: another program's.
std::string log_of_transaction(std::string_view transaction) {
    if (!transaction.starts_with(transaction_prefix)) return {};
    transaction.remove_prefix(transaction_prefix.size());
    const std::size_t colon = transaction.rfind(':');
    return std::string(transaction.substr(0, colon == std::string_view::npos ? 0 : colon));
}

constexpr std::string_view row_columns[] = {"_rescued_data", "_timestamp", "_partition", "_offset"};

bool is_row_column(std::string_view name) {
    return std::find(std::begin(row_columns), std::end(row_columns), name) != std::end(row_columns);
}

duck::ValueType value_type(event::ColumnType type) {
    switch (type) {
    case event::ColumnType::boolean: return duck::ValueType::boolean;
    case event::ColumnType::bigint: return duck::ValueType::bigint;
    case event::ColumnType::double_: return duck::ValueType::double_;
    case event::ColumnType::null:
    case event::ColumnType::string: return duck::ValueType::varchar;
    }
    return duck::ValueType::varchar;
}

} // namespace

std::vector<DeltaColumn> table_schema(const ContinuousSubject& subject, const std::vector<ContinuousColumn>& columns) {
    using duck::ValueType;
    if (subject.is_dead_letters)
        return {{"topic", ValueType::varchar},          {"partition", ValueType::bigint}, {"offset", ValueType::bigint},
                {"timestamp", ValueType::timestamp_tz}, {"reason", ValueType::varchar},   {"value", ValueType::blob}};
    std::vector<DeltaColumn> schema;
    for (const ContinuousColumn& column : columns) schema.push_back({column.name, value_type(column.type)});
    schema.push_back({"_rescued_data", ValueType::varchar});
    schema.push_back({"_timestamp", ValueType::timestamp_tz});
    schema.push_back({"_partition", ValueType::bigint});
    schema.push_back({"_offset", ValueType::bigint});
    return schema;
}

std::string LogStretch::file_name(std::int64_t generation) const {
    const std::string suffix = generation == 0 ? "" : fmt::format("{}{}", generation_prefix, generation);
    return fmt::format("{}{}-{}-{}-{}{}{}", file_prefix, log_id, partition, from, to, suffix, file_suffix);
}

std::optional<LogStretch> LogStretch::of_file(std::string_view name) {
    name = name.substr(name.rfind('/') + 1);
    if (!name.starts_with(file_prefix) || !name.ends_with(file_suffix)) return std::nullopt;
    name.remove_prefix(file_prefix.size());
    name.remove_suffix(file_suffix.size());
    const std::size_t suffix = name.rfind(generation_prefix);
    if (suffix != std::string_view::npos && suffix == name.rfind('-')) name = name.substr(0, suffix);
    const auto to = take_last_number(name);
    const auto from = take_last_number(name);
    const auto partition = take_last_number(name);
    if (!to || !from || !partition || *to <= *from || *partition > INT32_MAX || name.empty()) return std::nullopt;
    return LogStretch{std::string(name), Partition{static_cast<std::int32_t>(*partition)}, Offset{*from}, Offset{*to}};
}

std::string LogStretch::transaction() const {
    return fmt::format("{}{}:{}", transaction_prefix, log_id, partition);
}

Offset ContinuousTable::landed_to(const std::string& log_id, Partition partition) const {
    const auto known = state_.transactions.find(LogStretch{log_id, partition, {}, {}}.transaction());
    return known == state_.transactions.end() ? Offset{} : Offset{known->second};
}

std::optional<std::int64_t> ContinuousTable::rows_of(const std::string& log_id, Partition partition) const {
    if (has_foreign_files_) return std::nullopt;
    const auto known = rows_of_.find(LogStretch{log_id, partition, {}, {}}.transaction());
    return known == rows_of_.end() ? 0 : known->second;
}

std::vector<RowsOfLog> ContinuousTable::rows_of_others(const std::string& log_id) const {
    std::map<std::string, std::int64_t> others;
    for (const auto& [transaction, rows] : rows_of_) others[log_of_transaction(transaction)] += rows;
    if (has_foreign_files_)
        for (const auto& [transaction, to] : state_.transactions) others.try_emplace(log_of_transaction(transaction));
    std::vector<RowsOfLog> found;
    for (const auto& [id, rows] : others)
        if (!id.empty() && id != log_id && (rows > 0 || has_foreign_files_))
            found.push_back({id, has_foreign_files_ ? std::nullopt : std::optional(rows)});
    return found;
}

void ContinuousTable::count(const DeltaFile& file) {
    rows_ += file.rows;
    if (const auto stretch = LogStretch::of_file(file.path))
        rows_of_[stretch->transaction()] += file.rows;
    else
        has_foreign_files_ = true;
}

/// Of the files that are counted and let go of, and of those that the state has.
void ContinuousTable::count_rows() {
    if (state_.files_let_go == 0) {
        rows_of_.clear();
        rows_ = 0;
        has_foreign_files_ = false;
    }
    for (const DeltaFile& file : state_.files) count(file);
}

/// What the table's Delta state says of it.
Status ContinuousTable::adopt_state() {
    const auto value_of = [&](const std::string& key, const std::string& otherwise = {}) {
        const auto found = state_.metadata.configuration.find(key);
        return found == state_.metadata.configuration.end() ? otherwise : found->second;
    };
    subject_ = {value_of(std::string(topic_key)), value_of(std::string(type_key)),
                value_of(std::string(dead_letters_key)) == dead_letters_value};
    generation_ = 0;
    const std::string generation = value_of(std::string(generation_key));
    std::from_chars(generation.data(), generation.data() + generation.size(), generation_);
    if (subject_.topic.empty())
        return reject("{} is a Delta table that questlog did not write: move it away, or read it with read_parquet",
                      folder_);
    columns_.clear();
    if (subject_.is_dead_letters) return {};
    for (const DeltaColumn& column : state_.metadata.columns)
        if (!is_row_column(column.name))
            columns_.push_back({column.name, value_of(fmt::format("{}{}", column_key_prefix, column.name), column.name),
                                column_type(column.type)});
    return {};
}

ContinuousStore::ContinuousStore(io::Env env, std::string lake_root)
    : env_(env), lake_root_(std::move(lake_root)), root_(fmt::format("{}/{}", lake_root_, continuous_folder)),
      scratch_(env.files, lake_root_) {}

/// Where rebuilders put tables before they are to replace() ours.
Result<std::vector<std::string>> ContinuousStore::replacement_roots() const {
    std::vector<std::string> roots;
    const auto staging = env_.files.list(lake_root_ + "/.staging");
    if (!staging.ok() && staging.error().system_errno == ENOENT) return roots;
    if (!staging.ok()) return staging.error();
    for (const io::Entry& entry : *staging)
        if (entry.name.starts_with(replacement_prefix))
            roots.push_back(fmt::format("{}/.staging/{}", lake_root_, entry.name));
    return roots;
}

/// Those whose folders are in their places.
Status ContinuousStore::add_names(std::set<std::string>& names) const {
    const auto entries = env_.files.list(root_);
    if (!entries.ok() && entries.error().system_errno == ENOENT) return {};
    if (!entries.ok()) return entries.error();
    for (const io::Entry& entry : *entries)
        if (entry.kind == io::Kind::directory && check_table_path(entry.name).ok()) names.insert(entry.name);
    return {};
}

Result<std::vector<std::string>> ContinuousStore::names() const {
    std::set<std::string> names;
    TRY(rebuilders, replacement_roots()); // before the list: theirs are there long before they swap a table
    CHECK_OK(add_names(names));
    if (!rebuilders.empty()) {
        TRY(aside, set_aside());
        for (const auto& [name, folder] : aside) names.insert(name);
        CHECK_OK(add_names(names)); // a swap may have ended between the two looks
    }
    return std::vector<std::string>(names.begin(), names.end());
}

std::string ContinuousStore::replacement_root(const std::string& log_id) const {
    return fmt::format("{}/.staging/{}{}", lake_root_, replacement_prefix, log_id);
}

/// Tables that replace() is about to replace by renames, and the folders where they may be found meanwhile.
Result<std::vector<std::pair<std::string, std::string>>> ContinuousStore::set_aside() const {
    std::vector<std::pair<std::string, std::string>> found;
    TRY(roots, replacement_roots());
    for (const std::string& replacement : roots) {
        const std::string root = fmt::format("{}/{}", replacement, continuous_folder);
        const auto tables = env_.files.list(root);
        if (!tables.ok()) continue; // it is cleared at the moment
        for (const io::Entry& table : *tables) {
            if (!table.name.ends_with(io::exchange_aside_suffix)) continue;
            std::string name = table.name.substr(0, table.name.size() - io::exchange_aside_suffix.size());
            std::string folder = root + "/" + name;
            found.emplace_back(std::move(name), std::move(folder));
        }
    }
    return found;
}

Result<std::string> ContinuousStore::place_of(const std::string& name) const {
    return place_in_swap(env_.files, root_ + "/" + name, [&]() -> Result<std::string> {
        TRY(aside, set_aside());
        const auto found = std::find_if(aside.begin(), aside.end(), [&](const auto& one) { return one.first == name; });
        return found == aside.end() ? std::string() : found->second;
    });
}

/// What `look` finds in the table's folder. It looks again where the table has moved meanwhile, as in the midst of a
/// swap: then it finds nothing, or a file is gone.
template <class Found, class Look>
Result<std::optional<Found>> ContinuousStore::look_in_place(const std::string& name, Look&& look) const {
    const std::string folder = root_ + "/" + name;
    std::string place = folder;
    for (int looks = 1;; ++looks) {
        Result<std::optional<Found>> found = look(place);
        const bool is_gone = found.ok() ? !found->has_value() : found.error().system_errno == ENOENT;
        const bool is_no_table = looks > 1 && found.ok() && place == folder; // but a folder of another kind
        if (!is_gone || is_no_table || looks == looks_max) return found;
        TRY(now, place_of(name));
        if (now.empty()) return std::optional<Found>{};
        place = std::move(now);
    }
}

Result<std::vector<RowsOfLog>> ContinuousStore::others_lying_in(const std::string& name,
                                                                const std::string& log_id) const {
    std::set<std::string> others;
    const std::string folder = root_ + "/" + name;
    TRY(dates, env_.files.list(folder));
    for (const io::Entry& date : dates) {
        if (date.kind != io::Kind::directory) continue;
        TRY(files, env_.files.list(folder + "/" + date.name));
        for (const io::Entry& file : files)
            if (const auto stretch = LogStretch::of_file(file.name)) others.insert(stretch->log_id);
    }
    others.erase(log_id);
    std::vector<RowsOfLog> found;
    for (const std::string& id : others) found.push_back({id, std::nullopt});
    return found;
}

Status ContinuousStore::put_back(const std::string& log_id) {
    const std::string replacement = replacement_root(log_id);
    TRY(made, env_.files.stat(replacement));
    if (made.kind == io::Kind::missing) return {};
    TRY(aside, set_aside());
    for (const auto& [name, folder] : aside) {
        if (!folder.starts_with(replacement + "/")) continue;
        const std::string place = root_ + "/" + name;
        TRY(present, env_.files.stat(place));
        if (present.kind == io::Kind::missing) CHECK_OK(env_.files.rename(folder, place));
    }
    // A swap that is not durable yet may have left there what on disk is the table.
    TRY(tables, env_.files.stat(root_));
    return tables.kind == io::Kind::missing ? Status() : env_.files.sync_directory(root_);
}

Result<std::optional<ContinuousTable>> ContinuousStore::open(duck::Connection& connection,
                                                             const std::string& name) const {
    CHECK_OK(check_table_path(name));
    return look_in_place<ContinuousTable>(name,
                                          [&](const std::string& folder) { return open_at(connection, name, folder); });
}

bool ContinuousStore::is_damage(const Error& error) {
    return error.kind != ErrorKind::retry_later && error.system_errno != ENOENT;
}

Result<std::optional<ContinuousTable>> ContinuousStore::open_at(duck::Connection& connection, const std::string& name,
                                                                const std::string& folder) const {
    ContinuousTable table(name, folder);
    TRY(state, log_of(table).open(connection));
    if (!state) return std::optional<ContinuousTable>{};
    table.state_ = std::move(*state);
    CHECK_OK(table.adopt_state());
    table.count_rows();
    return std::optional(std::move(table));
}

Status ContinuousStore::refresh(duck::Connection& connection, ContinuousTable& table) const {
    if (table.version() >= 0) CHECK_OK(log_of(table).refresh(connection, table.state_));
    if (table.version() >= 0) {
        CHECK_OK(table.adopt_state());
        table.count_rows();
    } else { // it is new, or its folder has gone, or has moved
        TRY(opened, open(connection, table.name()));
        table = opened ? std::move(*opened) : make(table.name(), table.subject(), table.generation());
    }
    table.state_.let_go_of_files();
    return {};
}

Result<std::vector<DeltaSchemaChange>> ContinuousStore::history(const std::string& name) const {
    CHECK_OK(check_table_path(name));
    using Changes = std::vector<DeltaSchemaChange>;
    TRY(found, look_in_place<Changes>(name, [&](const std::string& folder) -> Result<std::optional<Changes>> {
            const ContinuousTable table(name, folder);
            TRY(present, env_.files.stat(folder + "/_delta_log"));
            if (present.kind == io::Kind::missing) return std::optional<Changes>{};
            TRY(changes, log_of(table).history());
            return std::optional(std::move(changes));
        }));
    if (!found)
        return reject("there is no continuous table {} that is landed; `questlog sql \"SHOW TABLES\"` lists the tables",
                      name);
    return std::move(*found);
}

ContinuousTable ContinuousStore::make(const std::string& name, const ContinuousSubject& subject,
                                      std::int64_t generation) const {
    ContinuousTable table(name, root_ + "/" + name);
    table.subject_ = subject;
    table.generation_ = generation;
    return table;
}

DeltaLog ContinuousStore::log_of(const ContinuousTable& table, std::string staging) const {
    return {env_, table.folder_, std::move(staging)};
}

Result<io::Files::LibraryPath> ContinuousStore::readable_path(const ContinuousTable& table,
                                                              const DeltaFile& file) const {
    return env_.files.library_path_of(table.folder() + "/" + file.path);
}

std::map<std::string, std::string>
ContinuousTable::configuration_with(const std::vector<ContinuousColumn>& columns) const {
    std::map<std::string, std::string> configuration = state_.metadata.configuration;
    configuration[std::string(topic_key)] = subject_.topic;
    if (generation_ > 0) configuration[std::string(generation_key)] = fmt::format("{}", generation_);
    if (subject_.is_dead_letters)
        configuration[std::string(dead_letters_key)] = dead_letters_value;
    else
        configuration[std::string(type_key)] = subject_.event_type;
    for (const ContinuousColumn& column : columns)
        if (column.key != column.name) configuration[fmt::format("{}{}", column_key_prefix, column.name)] = column.key;
    return configuration;
}

} // namespace questlog::lake
