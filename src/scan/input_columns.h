#pragma once

#include "event/schema.h"
#include "scan/column_names.h"
#include "scan/plan.h"
#include "scan/table.h"

#include <string>
#include <string_view>
#include <vector>

/// The columns that a table's declaration finds in the events; for relation.cpp alone.
namespace questlog::scan {

inline constexpr std::string_view timestamp_name = "timestamp";

/// Whether `set` makes a column of this name, in any case.
[[nodiscard]] bool is_set(const TableDeclaration& table, std::string_view name);

/// A column as the events have it, or as only landed files do.
struct InputColumn {
    std::string name;
    std::string key;
    event::ColumnType type = event::ColumnType::null;
    bool is_missing = false; ///< No event has it.
    bool is_null = false;    ///< No event has a value there: `type` is what the declaration or landed files say.
};

/// The columns of a plan's events, named and widened, then those that only landed files have.
class InputColumns {
public:
    InputColumns(const Plan& plan, const TableDeclaration& table, const std::vector<LandedColumn>& landed);

    /// What the plan's rows are asked for; all() begins with its columns, in its order.
    [[nodiscard]] const event::Schema& schema() const { return schema_; }
    [[nodiscard]] const std::vector<InputColumn>& all() const { return all_; }
    /// The one that `name`, in an expression or of a set column, means: by its name in any case, else by its key.
    [[nodiscard]] const InputColumn* find(std::string_view name) const;
    /// What an expression meets under `name`: null where no event has it.
    [[nodiscard]] event::ColumnType type(std::string_view name) const;
    [[nodiscard]] const std::vector<NamedKey>& renamed() const { return renamed_; }
    /// Relation::obstacle
    [[nodiscard]] const std::string& obstacle() const { return obstacle_; }

private:
    void find_obstacle(const NameRights& rights, bool one_partition);

    event::Schema schema_;
    std::vector<InputColumn> all_;
    std::vector<NamedKey> renamed_;
    std::string obstacle_;
};

} // namespace questlog::scan
