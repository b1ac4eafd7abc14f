#pragma once

#include "base/result.h"
#include "event/catalogue.h"
#include "event/json_text.h"

#include <string>
#include <vector>

namespace questlog::event {

/// Checks declared fields. A value that came as text is read as its field's type and becomes JSON of that type
/// (appended to `text`), also beside others that are wrong. `reject` names the first wrong field, what is expected and
/// what came. null counts as missing.
Status apply_declared_types(const std::vector<FieldDeclaration>& fields, std::string& text,
                            std::vector<Member>& members);

/// How a field is not as it is declared.
enum class Misfit : std::uint8_t { none, missing, type, value, range };
/// Of a JSON value; empty: there is none. null counts as missing.
[[nodiscard]] Misfit misfit_of(const FieldDeclaration& field, std::string_view json);
/// `field "level": out of its range`, of any value.
[[nodiscard]] std::string misfit_text(const FieldDeclaration& field, Misfit misfit);

/// Whether a JSON value, or a text, is of a type: bigint within int64 and written as an integer; double any number.
[[nodiscard]] bool json_is(ColumnType type, std::string_view json);

} // namespace questlog::event
