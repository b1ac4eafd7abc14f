#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// JSON strings as Python's json.dumps writes them: ASCII only, \uXXXX (lower case) with surrogate pairs.
namespace questlog::event {

/// Appends `text` (UTF-8) with its quotes. False if it is not valid UTF-8; then nothing was appended.
[[nodiscard]] bool append_json_string(std::string& out, std::string_view text);
/// The same for bytes that are read as Latin-1, as WSGI reads header values. Always succeeds.
void append_json_latin1(std::string& out, std::string_view bytes);
/// `text` as a JSON string; where it is no UTF-8, as a path or what a client sent may be, one character a byte.
[[nodiscard]] std::string json_string(std::string_view text);

/// The contents of a valid JSON string (what stands between its quotes), its escapes brought to json.dumps' form.
void append_reescaped(std::string& out, std::string_view contents);

/// How many bytes at the start of `text` stand in a JSON string as they are.
[[nodiscard]] std::size_t plain_prefix(std::string_view text);

} // namespace questlog::event
