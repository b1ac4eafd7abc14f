#pragma once

#include <string>
#include <string_view>

namespace questlog::scan {

/// The table of what no other table takes.
inline constexpr std::string_view dead_letters_name = "dead_letters";

/// The name of the table that holds the events of a type, in SQL and as a folder: the type itself where it is of
/// [A-Za-z0-9_-], at most 64 bytes long, and free. Distinct types have distinct names, so that what a client sends can
/// neither leave the folder nor reach another's table:
///
///   any other character           _x<hex code point>_, as in column names; a byte that is no UTF-8 likewise
///   "_x" in the type              _x5F_x
///   a name beginning with _ or -  e_xs before it: readers skip folders that begin with _
///   longer than 64 bytes          its beginning, _xh and 16 hex digits of a checksum of the type
///   default, events, ledger, dead_letters, in any case    with _event after it; and a type that is so called, with
///                                                          _x5F_event
///
/// Two types may have names that differ in case alone; SQL tells them apart where a statement names them exactly.
[[nodiscard]] std::string table_name_of(std::string_view event_type);

} // namespace questlog::scan
