#include "lake/landing_records.h"

#include "base/checked_text.h"
#include "base/offset_spans.h"
#include "io/whole_file.h"
#include "lake/generations.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>

namespace questlog::lake {
namespace {

constexpr TextKind cut_text{"questlog landing cut", 1,
                            "restore it from a backup; without it the tables' files tell what was landed, and "
                            "`questlog rebuild` makes a table anew"};
constexpr TextKind books_text{
    "questlog landing books", 1,
    "restore it from a backup, or remove it: the next landing then counts anew from the cuts"};
constexpr std::string_view cut_suffix = ".plan";
constexpr std::array<std::string_view, 4> reasons = {"limit", "idle", "asked", "expired"};

std::string cut_name(Offset from) {
    return fmt::format("{:0{}}{}", from.value, offset_digits, cut_suffix);
}

bool is_stretch(const PlannedCut& cut) {
    return cut.from >= Offset{} && cut.to > cut.from;
}

/// Takes "key = value" from `lines`; false if the next line has another key.
bool take(std::string_view& lines, std::string_view key, std::string_view& value) {
    std::string_view rest = lines;
    std::string_view line = take_text_line(rest);
    if (!line.starts_with(key) || !line.substr(key.size()).starts_with(" = ")) return false;
    value = line.substr(key.size() + 3);
    lines = rest;
    return true;
}

template <class Int> bool take_number(std::string_view& lines, std::string_view key, Int& number) {
    std::string_view value;
    return take(lines, key, value) && parse_number(value, number);
}

/// "last = 7 0f1e2d3c", where it is known.
std::string encode_last(const std::optional<Witness>& last) {
    return last ? fmt::format("last = {} {:08x}\n", last->offset, last->fingerprint) : std::string();
}

/// True also where there is no such line.
bool take_last(std::string_view& lines, std::optional<Witness>& last) {
    std::string_view value;
    if (!take(lines, "last", value)) return !lines.starts_with("last");
    const std::string_view offset = value.substr(0, value.find(' '));
    const std::string_view sum = value.substr(std::min(offset.size() + 1, value.size()));
    Witness found;
    const auto [end, error] = std::from_chars(sum.data(), sum.data() + sum.size(), found.fingerprint, 16);
    if (!parse_number(offset, found.offset.value) || error != std::errc() || end != sum.data() + sum.size())
        return false;
    last = found;
    return true;
}

/// In order, each within the cut.
bool parse_spans_of(const PlannedCut& cut, std::string_view text, std::vector<OffsetSpan>& spans) {
    auto parsed = parse_spans(text);
    if (!parsed || parsed->empty() || parsed->front().from < cut.from || parsed->back().to > cut.to) return false;
    spans = std::move(*parsed);
    return true;
}

/// Lines that a cut has only where there is something to say.
std::string encode_set_aside(const PlannedCut& cut) {
    std::string lines;
    if (cut.ids != 0) lines += fmt::format("ids = {}\n", cut.ids);
    if (!cut.repeats.empty()) lines += fmt::format("repeats = {}\n", spans_text(cut.repeats));
    for (const auto& [reason, spans] : cut.invalid)
        lines += fmt::format("invalid = {}\nreason = {}\n", spans_text(spans), reason);
    return lines;
}

bool take_set_aside(std::string_view& lines, PlannedCut& cut) {
    std::string_view spans;
    if (lines.starts_with("ids") && !take_number(lines, "ids", cut.ids)) return false;
    if (take(lines, "repeats", spans) && !parse_spans_of(cut, spans, cut.repeats)) return false;
    while (take(lines, "invalid", spans)) {
        auto& [reason, where] = cut.invalid.emplace_back();
        std::string_view text;
        if (!parse_spans_of(cut, spans, where) || !take(lines, "reason", text)) return false;
        reason = text;
    }
    return true;
}

std::string encode(const PlannedCut& cut) {
    return encode_checked_text(cut_text,
                               fmt::format("from = {}\nto = {}\ndate = {}\nreason = {}\nwriter = {}\n{}{}", cut.from,
                                           cut.to, cut.date, reasons[static_cast<std::size_t>(cut.reason)], cut.writer,
                                           encode_set_aside(cut), encode_last(cut.last)));
}

Result<PlannedCut> decode_cut(std::string_view text, const std::string& path) {
    TRY(lines, decode_checked_text(cut_text, text, path));
    PlannedCut cut;
    std::string_view date;
    std::string_view reason;
    std::string_view writer;
    if (!take_number(lines, "from", cut.from.value) || !take_number(lines, "to", cut.to.value) ||
        !take(lines, "date", date) || !take(lines, "reason", reason) || !take(lines, "writer", writer))
        return damaged_text(cut_text, path, "it is no cut");
    if (!take_set_aside(lines, cut) || !take_last(lines, cut.last) || !lines.empty())
        return damaged_text(cut_text, path, "it is no cut");
    const auto known = std::find(reasons.begin(), reasons.end(), reason);
    if (known == reasons.end() || !is_stretch(cut)) return damaged_text(cut_text, path, "it is no cut");
    cut.reason = static_cast<CutReason>(known - reasons.begin());
    cut.date = date;
    cut.writer = writer;
    return cut;
}

/// "table = 12 purchase_sword", where it has any "repeats = 2", "invalid = 1" and "fractions = price", where it is
/// stopped "stopped = 7 why".
std::string encode(const Books& books) {
    std::string lines = fmt::format("began = {}\nlanded_to = {}\nrecords = {}\nrebuilt = {}\n", books.began,
                                    books.landed_to, books.records, books.rebuilt);
    lines += encode_last(books.last);
    for (const std::string& origin : books.origins) lines += fmt::format("origin = {}\n", origin);
    for (const auto& [name, table] : books.tables) {
        lines += fmt::format("table = {} {}\n", table.events, name);
        if (table.repeats != 0) lines += fmt::format("repeats = {}\n", table.repeats);
        if (table.invalid != 0) lines += fmt::format("invalid = {}\n", table.invalid);
        for (const std::string& column : table.fractions) lines += fmt::format("fractions = {}\n", column);
        if (!table.stopped_at) continue;
        std::string reason = table.reason;
        std::replace(reason.begin(), reason.end(), '\n', ' ');
        lines += fmt::format("stopped = {} {}\n", *table.stopped_at, reason);
    }
    return encode_checked_text(books_text, lines);
}

/// Splits "12 rest".
template <class Int> bool split_number(std::string_view text, Int& number, std::string_view& rest) {
    const std::size_t blank = text.find(' ');
    if (blank == std::string_view::npos || !parse_number(text.substr(0, blank), number)) return false;
    rest = text.substr(blank + 1);
    return true;
}

Result<Books> decode_books(std::string_view text, const std::string& path) {
    TRY(lines, decode_checked_text(books_text, text, path));
    Books books;
    if (!take_number(lines, "began", books.began.value) || !take_number(lines, "landed_to", books.landed_to.value) ||
        !take_number(lines, "records", books.records) || !take_number(lines, "rebuilt", books.rebuilt) ||
        !take_last(lines, books.last))
        return damaged_text(books_text, path, "they are no books");
    for (std::string_view origin; take(lines, "origin", origin);) books.origins.emplace(origin);
    for (std::string_view value; take(lines, "table", value);) {
        TableBooks table;
        std::string_view name;
        if (!split_number(value, table.events, name)) return damaged_text(books_text, path, "they are no books");
        if ((lines.starts_with("repeats") && !take_number(lines, "repeats", table.repeats)) ||
            (lines.starts_with("invalid") && !take_number(lines, "invalid", table.invalid)))
            return damaged_text(books_text, path, "they are no books");
        for (std::string_view column; take(lines, "fractions", column);) table.fractions.emplace(column);
        if (take(lines, "stopped", value)) {
            Offset at;
            std::string_view reason;
            if (!split_number(value, at.value, reason)) return damaged_text(books_text, path, "they are no books");
            table.stopped_at = at;
            table.reason = reason;
        }
        books.tables.emplace(name, std::move(table));
    }
    if (!lines.empty()) return damaged_text(books_text, path, "they are no books");
    return books;
}

} // namespace

LandingRecords::LandingRecords(io::Env env, std::string lake_root, std::string log_id, Partition partition)
    : env_(env), lake_root_(std::move(lake_root)), log_id_(std::move(log_id)), partition_(partition),
      directory_(fmt::format("{}/.landing/{}/{}", lake_root_, log_id_, partition_)) {}

Result<std::optional<Books>> LandingRecords::books() const {
    const std::string path = directory_ + "/books";
    TRY(present, env_.files.stat(path));
    if (present.kind == io::Kind::missing) return std::optional<Books>{};
    TRY(text, io::read_text_file(env_.files, path));
    TRY(books, decode_books(text, path));
    return std::optional(std::move(books));
}

Status LandingRecords::write_books(const Books& books) {
    CHECK_OK(env_.files.make_directories(directory_));
    return io::write_file_durably(env_.files, directory_, directory_ + "/books", encode(books));
}

Result<std::optional<PlannedCut>> LandingRecords::cut_at(Offset from) const {
    const std::string path = directory_ + "/" + cut_name(from);
    TRY(present, env_.files.stat(path));
    if (present.kind == io::Kind::missing) return std::optional<PlannedCut>{};
    TRY(text, io::read_text_file(env_.files, path));
    TRY(cut, decode_cut(text, path));
    if (cut.from != from) return damaged_text(cut_text, path, fmt::format("it is of the cut from offset {}", cut.from));
    return std::optional(std::move(cut));
}

Result<PlannedCut> LandingRecords::record(const PlannedCut& cut) {
    if (!is_stretch(cut)) return internal("a cut from offset {} to before {} has no events", cut.from, cut.to);
    CHECK_OK(env_.files.make_directories(directory_));
    const std::string path = directory_ + "/" + cut_name(cut.from);
    TRY(is_new, io::write_new_file_durably(
                    env_.files, directory_, path, encode(cut),
                    fmt::format("{}/{}{}", directory_, random_uuid(env_.entropy), io::temporary_suffix)));
    if (is_new) return cut;
    TRY(recorded, cut_at(cut.from));
    if (!recorded) return internal("the cut from offset {} was recorded by another, and is gone", cut.from);
    // Its name may read back as good though it is not on disk: once it is written anew, it is.
    CHECK_OK(io::write_file_durably(env_.files, directory_, path, encode(*recorded)));
    return std::move(*recorded);
}

Result<std::vector<PlannedCut>> LandingRecords::cuts() const {
    std::vector<PlannedCut> cuts;
    TRY(present, env_.files.stat(directory_));
    if (present.kind == io::Kind::missing) return cuts;
    TRY(entries, env_.files.list(directory_));
    for (const io::Entry& entry : entries) {
        if (!entry.name.ends_with(cut_suffix)) continue;
        const std::string path = directory_ + "/" + entry.name;
        TRY(text, io::read_text_file(env_.files, path));
        TRY(cut, decode_cut(text, path));
        if (cut_name(cut.from) != entry.name || (!cuts.empty() && cuts.back().to != cut.from))
            return damaged_text(cut_text, path, "it does not begin where the one before it ends");
        cuts.push_back(std::move(cut));
    }
    return cuts;
}

Status LandingRecords::sweep() {
    TRY(present, env_.files.stat(directory_));
    if (present.kind == io::Kind::missing) return {};
    TRY(entries, env_.files.list(directory_));
    for (const io::Entry& entry : entries)
        if (entry.name.ends_with(io::temporary_suffix)) CHECK_OK(env_.files.remove_file(directory_ + "/" + entry.name));
    return {};
}

Result<std::unique_ptr<io::Lock>> LandingRecords::lock(std::chrono::milliseconds wait) {
    const std::string folder = lake_root_ + "/.locks";
    CHECK_OK(env_.files.make_directories(folder));
    return env_.files.lock(fmt::format("{}/landing-{}.lock", folder, log_id_), partition_.value,
                           io::Files::Share::exclusive, wait);
}

} // namespace questlog::lake
