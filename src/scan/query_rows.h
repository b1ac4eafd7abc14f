#pragma once

#include "duck/duck.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace questlog::scan::testing {

using Rows = std::vector<std::vector<std::string>>;

/// The rows of a query as text, NULL as "NULL"; a failure of the test where the query fails.
inline Rows rows_of(duck::Connection& connection, const std::string& sql) {
    auto result = connection.query_as_text(sql);
    if (!result) {
        ADD_FAILURE() << sql << "\n" << result.error().message;
        return {};
    }
    Rows rows;
    for (;;) {
        const auto count = (*result)->next();
        if (!count) {
            ADD_FAILURE() << sql << "\n" << count.error().message;
            return rows;
        }
        if (*count == 0) return rows;
        for (std::size_t row = 0; row < *count; ++row) {
            rows.emplace_back();
            for (std::size_t column = 0; column < (*result)->columns().size(); ++column)
                rows.back().emplace_back((*result)->is_null(column, row) ? "NULL" : (*result)->varchar(column, row));
        }
    }
}

} // namespace questlog::scan::testing
