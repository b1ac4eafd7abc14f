#include "duck/native.h"

namespace questlog::duck::native {

ValueType value_type(duckdb_type type) {
    switch (type) {
    case DUCKDB_TYPE_BOOLEAN: return ValueType::boolean;
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER: return ValueType::bigint;
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE: return ValueType::double_;
    case DUCKDB_TYPE_VARCHAR: return ValueType::varchar;
    case DUCKDB_TYPE_BLOB: return ValueType::blob;
    case DUCKDB_TYPE_TIMESTAMP_TZ: return ValueType::timestamp_tz;
    default: return ValueType::other;
    }
}

duckdb_type native_type(ValueType type) {
    switch (type) {
    case ValueType::boolean: return DUCKDB_TYPE_BOOLEAN;
    case ValueType::bigint: return DUCKDB_TYPE_BIGINT;
    case ValueType::double_: return DUCKDB_TYPE_DOUBLE;
    case ValueType::varchar: return DUCKDB_TYPE_VARCHAR;
    case ValueType::blob: return DUCKDB_TYPE_BLOB;
    case ValueType::timestamp_tz: return DUCKDB_TYPE_TIMESTAMP_TZ;
    case ValueType::other: return DUCKDB_TYPE_INVALID;
    }
    return DUCKDB_TYPE_INVALID;
}

namespace {

std::string take(char* text) {
    std::string copy = text == nullptr ? "" : text;
    duckdb_free(text);
    return copy;
}

[[nodiscard]] std::string child_name(duckdb_logical_type child) {
    LogicalType owned(child);
    return type_name(owned.get());
}

[[nodiscard]] std::string struct_name(duckdb_logical_type type) {
    std::string name = "STRUCT(";
    const idx_t count = duckdb_struct_type_child_count(type);
    for (idx_t i = 0; i < count; ++i) {
        if (i != 0) name += ", ";
        name += quote_identifier(take(duckdb_struct_type_child_name(type, i)));
        name += ' ';
        name += child_name(duckdb_struct_type_child_type(type, i));
    }
    return name + ")";
}

[[nodiscard]] std::string simple_name(duckdb_type type) {
    switch (type) {
    case DUCKDB_TYPE_BOOLEAN: return "BOOLEAN";
    case DUCKDB_TYPE_TINYINT: return "TINYINT";
    case DUCKDB_TYPE_SMALLINT: return "SMALLINT";
    case DUCKDB_TYPE_INTEGER: return "INTEGER";
    case DUCKDB_TYPE_BIGINT: return "BIGINT";
    case DUCKDB_TYPE_UTINYINT: return "UTINYINT";
    case DUCKDB_TYPE_USMALLINT: return "USMALLINT";
    case DUCKDB_TYPE_UINTEGER: return "UINTEGER";
    case DUCKDB_TYPE_UBIGINT: return "UBIGINT";
    case DUCKDB_TYPE_HUGEINT: return "HUGEINT";
    case DUCKDB_TYPE_UHUGEINT: return "UHUGEINT";
    case DUCKDB_TYPE_FLOAT: return "FLOAT";
    case DUCKDB_TYPE_DOUBLE: return "DOUBLE";
    case DUCKDB_TYPE_VARCHAR: return "VARCHAR";
    case DUCKDB_TYPE_BLOB: return "BLOB";
    case DUCKDB_TYPE_BIT: return "BIT";
    case DUCKDB_TYPE_UUID: return "UUID";
    case DUCKDB_TYPE_DATE: return "DATE";
    case DUCKDB_TYPE_TIME: return "TIME";
    case DUCKDB_TYPE_TIME_NS: return "TIME_NS";
    case DUCKDB_TYPE_TIME_TZ: return "TIME WITH TIME ZONE";
    case DUCKDB_TYPE_TIMESTAMP: return "TIMESTAMP";
    case DUCKDB_TYPE_TIMESTAMP_S: return "TIMESTAMP_S";
    case DUCKDB_TYPE_TIMESTAMP_MS: return "TIMESTAMP_MS";
    case DUCKDB_TYPE_TIMESTAMP_NS: return "TIMESTAMP_NS";
    case DUCKDB_TYPE_TIMESTAMP_TZ: return "TIMESTAMP WITH TIME ZONE";
    case DUCKDB_TYPE_INTERVAL: return "INTERVAL";
    case DUCKDB_TYPE_ENUM: return "ENUM";
    case DUCKDB_TYPE_UNION: return "UNION";
    case DUCKDB_TYPE_BIGNUM: return "BIGNUM";
    case DUCKDB_TYPE_SQLNULL: return "NULL";
    case DUCKDB_TYPE_GEOMETRY: return "GEOMETRY";
    case DUCKDB_TYPE_VARIANT: return "VARIANT";
    default: return "UNKNOWN";
    }
}

} // namespace

std::string type_name(duckdb_logical_type type) {
    if (std::string alias = take(duckdb_logical_type_get_alias(type)); !alias.empty()) return alias;
    const duckdb_type id = duckdb_get_type_id(type);
    switch (id) {
    case DUCKDB_TYPE_DECIMAL:
        return fmt::format("DECIMAL({},{})", duckdb_decimal_width(type), duckdb_decimal_scale(type));
    case DUCKDB_TYPE_LIST: return child_name(duckdb_list_type_child_type(type)) + "[]";
    case DUCKDB_TYPE_ARRAY:
        return fmt::format("{}[{}]", child_name(duckdb_array_type_child_type(type)),
                           duckdb_array_type_array_size(type));
    case DUCKDB_TYPE_MAP:
        return fmt::format("MAP({}, {})", child_name(duckdb_map_type_key_type(type)),
                           child_name(duckdb_map_type_value_type(type)));
    case DUCKDB_TYPE_STRUCT: return struct_name(type);
    default: return simple_name(id);
    }
}

} // namespace questlog::duck::native
