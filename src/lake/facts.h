#pragma once

#include "duck/duck.h"
#include "lake/snapshot.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// A generation's facts as text: in the footer of its one file, or in a file of their own. docs/formats/snapshot.md.
namespace questlog::lake {

inline constexpr std::string_view facts_key = "questlog.snapshot";
inline constexpr std::string_view facts_checksum_key = "questlog.snapshot.crc32c";

/// The facts as JSON text. `columns` are those of the files. Without rows and filtered, which follow from the files
/// themselves: a footer is written by the statement that counts them. One set of facts has one text, so a reader checks
/// that it understood a text by writing it anew.
[[nodiscard]] std::string facts_text(const SnapshotFacts& facts, const std::vector<duck::ResultColumn>& columns);

/// CRC-32C, 8 hex digits.
[[nodiscard]] std::string facts_checksum(std::string_view text);

enum class FactsPlace : std::uint8_t { footer, own_file };

/// The facts of a text whose checksum is right, over files with these columns and so many rows. `corrupt`: they
/// contradict each other, without the file's name; `reject`: a newer questlog wrote them. `connection` reads the JSON.
Result<SnapshotFacts> parse_facts(duck::Connection& connection, FactsPlace place, const std::string& text,
                                  const std::vector<duck::ResultColumn>& columns, std::int64_t rows);

/// The contents of a generation's facts file: the text and its checksum as one JSON object, in one line.
[[nodiscard]] std::string facts_file_text(const std::string& facts);
/// The facts' text out of it; `corrupt` where it is not whole.
Result<std::string> facts_of_file(const std::string& contents);
/// The data files that a facts' text names, before it is known what they hold.
Result<std::vector<DataFile>> files_of_facts(duck::Connection& connection, const std::string& text);

/// What DuckDB says about what it cannot make sense of: it is damaged.
[[nodiscard]] Error damaged_by(const Error& error);

/// Runs `sql` and hands each row to `visit`.
template <class Visit> Status each_row(duck::Connection& connection, const std::string& sql, Visit&& visit) {
    TRY(rows, connection.query(sql));
    while (true) {
        TRY(count, rows->next());
        if (count == 0) return {};
        for (std::size_t row = 0; row < count; ++row) visit(*rows, row);
    }
}

} // namespace questlog::lake
