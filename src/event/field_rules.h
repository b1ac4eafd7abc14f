#pragma once

#include "event/catalogue.h"
#include "event/schema.h"

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Declared fields, held against events that lie in a log: also other producers', and those of other declarations.
namespace questlog::event {

/// What the fields of each type must be. Immutable; any thread.
class FieldRules {
public:
    explicit FieldRules(const std::vector<EventDeclaration>& declarations);

    [[nodiscard]] bool empty() const { return types_.empty(); }
    /// Events of the type may be not as declared. Where one of its declarations has no fields, none is.
    [[nodiscard]] bool check(std::string_view event_type) const { return types_.find(event_type) != types_.end(); }
    /// What the key of the type's events is declared as; of several declarations, wide enough for all.
    [[nodiscard]] std::optional<ColumnType> type_of(std::string_view event_type, std::string_view key) const;

private:
    friend class FieldChecker;
    /// A type's fields, each with its name, and the declarations that have it.
    struct Field {
        FieldDeclaration declaration;
        std::size_t alternative = 0;
    };
    struct Type {
        std::vector<Field> fields; ///< Alternative by alternative, in the order declared.
        std::size_t alternatives = 0;
    };
    std::map<std::string, Type, std::less<>> types_;
};

/// Looks at events one by one. One thread.
class FieldChecker {
public:
    explicit FieldChecker(std::shared_ptr<const FieldRules> rules);
    ~FieldChecker();
    FieldChecker(FieldChecker&&) noexcept;
    FieldChecker& operator=(FieldChecker&&) noexcept;

    /// Why an event of the type is as none of its declarations says: misfit_text() of the first one's first field that
    /// is wrong. Empty: it fits. `value` is a JSON object, followed by json_padding_bytes readable bytes; of a
    /// repeated key the last value counts. Valid until the next call.
    std::string_view why_not(std::string_view event_type, std::string_view value);

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace questlog::event
