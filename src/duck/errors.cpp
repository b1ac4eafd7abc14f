#include "duck/native.h"

#include <array>

namespace questlog::duck::native {

namespace {

struct Beginning {
    std::string_view text;
    duckdb_error_type type;
};

constexpr std::array beginnings{
    Beginning{"Parser Error", DUCKDB_ERROR_PARSER},
    Beginning{"Syntax Error", DUCKDB_ERROR_SYNTAX},
    Beginning{"Binder Error", DUCKDB_ERROR_BINDER},
    Beginning{"Catalog Error", DUCKDB_ERROR_CATALOG},
    Beginning{"Conversion Error", DUCKDB_ERROR_CONVERSION},
    Beginning{"Invalid Input Error", DUCKDB_ERROR_INVALID_INPUT},
    Beginning{"Not implemented Error", DUCKDB_ERROR_NOT_IMPLEMENTED},
    Beginning{"IO Error", DUCKDB_ERROR_IO},
    Beginning{"Out of Memory Error", DUCKDB_ERROR_OUT_OF_MEMORY},
    Beginning{"INTERRUPT Error", DUCKDB_ERROR_INTERRUPT},
};

[[nodiscard]] bool tells_of_full_disk(std::string_view message) {
    return message.find("No space left on device") != std::string_view::npos ||
           message.find("Disk quota exceeded") != std::string_view::npos;
}

} // namespace

ErrorKind error_kind(duckdb_error_type type, std::string_view message) {
    if (tells_of_full_disk(message)) return ErrorKind::retry_later;
    switch (type) {
    case DUCKDB_ERROR_OUT_OF_RANGE:
    case DUCKDB_ERROR_CONVERSION:
    case DUCKDB_ERROR_UNKNOWN_TYPE:
    case DUCKDB_ERROR_DECIMAL:
    case DUCKDB_ERROR_MISMATCH_TYPE:
    case DUCKDB_ERROR_DIVIDE_BY_ZERO:
    case DUCKDB_ERROR_OBJECT_SIZE:
    case DUCKDB_ERROR_INVALID_TYPE:
    case DUCKDB_ERROR_TRANSACTION:
    case DUCKDB_ERROR_NOT_IMPLEMENTED:
    case DUCKDB_ERROR_EXPRESSION:
    case DUCKDB_ERROR_CATALOG:
    case DUCKDB_ERROR_PARSER:
    case DUCKDB_ERROR_PLANNER:
    case DUCKDB_ERROR_CONSTRAINT:
    case DUCKDB_ERROR_SYNTAX:
    case DUCKDB_ERROR_SETTINGS:
    case DUCKDB_ERROR_BINDER:
    case DUCKDB_ERROR_INVALID_INPUT:
    case DUCKDB_ERROR_PERMISSION:
    case DUCKDB_ERROR_PARAMETER_NOT_RESOLVED:
    case DUCKDB_ERROR_PARAMETER_NOT_ALLOWED:
    case DUCKDB_ERROR_DEPENDENCY:
    case DUCKDB_ERROR_MISSING_EXTENSION:
    case DUCKDB_ERROR_AUTOLOAD:
    case DUCKDB_ERROR_SEQUENCE: return ErrorKind::reject;

    case DUCKDB_ERROR_INTERRUPT: return ErrorKind::retry_later;

    case DUCKDB_ERROR_INVALID:
    case DUCKDB_ERROR_SERIALIZATION:
    case DUCKDB_ERROR_SCHEDULER:
    case DUCKDB_ERROR_EXECUTOR:
    case DUCKDB_ERROR_INDEX:
    case DUCKDB_ERROR_STAT:
    case DUCKDB_ERROR_CONNECTION:
    case DUCKDB_ERROR_NETWORK:
    case DUCKDB_ERROR_OPTIMIZER:
    case DUCKDB_ERROR_NULL_POINTER:
    case DUCKDB_ERROR_IO:
    case DUCKDB_ERROR_FATAL:
    case DUCKDB_ERROR_INTERNAL:
    case DUCKDB_ERROR_OUT_OF_MEMORY:
    case DUCKDB_ERROR_HTTP: return ErrorKind::internal;

    default: return ErrorKind::internal; // a later library's type: the enum is a C API's, which may grow
    }
}

Error error_of(duckdb_error_type type, const char* message) {
    const std::string text = message == nullptr ? "DuckDB failed without a message" : message;
    return Error{error_kind(type, text), text};
}

Error error_of(const char* message) {
    const std::string_view text = message == nullptr ? "" : message;
    for (const Beginning& beginning : beginnings)
        if (text.starts_with(beginning.text)) return error_of(beginning.type, message);
    return error_of(DUCKDB_ERROR_INVALID, message);
}

} // namespace questlog::duck::native
