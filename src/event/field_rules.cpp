#include "event/field_rules.h"

#include "event/json_text.h"
#include "event/typed_field.h"

#include <algorithm>
#include <simdjson.h>

namespace questlog::event {

FieldRules::FieldRules(const std::vector<EventDeclaration>& declarations) {
    for (const EventDeclaration& declaration : declarations) {
        const bool any_fits = std::any_of(declarations.begin(), declarations.end(), [&](const EventDeclaration& other) {
            return other.type == declaration.type && other.fields.empty();
        });
        if (any_fits) continue;
        Type& type = types_[declaration.type];
        for (const FieldDeclaration& field : declaration.fields) type.fields.push_back({field, type.alternatives});
        ++type.alternatives;
    }
}

std::optional<ColumnType> FieldRules::type_of(std::string_view event_type, std::string_view key) const {
    const auto type = types_.find(event_type);
    if (type == types_.end()) return std::nullopt;
    std::optional<ColumnType> found;
    for (const Field& field : type->second.fields)
        if (field.declaration.name == key)
            found = found ? widen(*found, field.declaration.type) : field.declaration.type;
    return found;
}

struct FieldChecker::State {
    std::shared_ptr<const FieldRules> rules;
    simdjson::ondemand::parser parser;
    std::vector<Misfit> misfits; ///< Of each field of the type.
    std::string reason;
    std::string string;

    /// Of a scalar, all of it, a string as a declaration has it; of others the bracket.
    std::string_view json_of(simdjson::ondemand::value& value) {
        const std::string_view json = trim_json_space(value.raw_json_token());
        if (json.front() != '"') return json;
        string.clear();
        append_respaced(string, json);
        return string;
    }
};

FieldChecker::FieldChecker(std::shared_ptr<const FieldRules> rules) : state_(std::make_unique<State>()) {
    state_->rules = std::move(rules);
}
FieldChecker::~FieldChecker() = default;
FieldChecker::FieldChecker(FieldChecker&&) noexcept = default;
FieldChecker& FieldChecker::operator=(FieldChecker&&) noexcept = default;

std::string_view FieldChecker::why_not(std::string_view event_type, std::string_view value) {
    const auto found = state_->rules->types_.find(event_type);
    if (found == state_->rules->types_.end()) return {};
    const FieldRules::Type& type = found->second;
    std::vector<Misfit>& misfits = state_->misfits;
    misfits.clear();
    for (const FieldRules::Field& field : type.fields) misfits.push_back(misfit_of(field.declaration, {}));

    const simdjson::padded_string_view padded(value.data(), value.size(), value.size() + simdjson::SIMDJSON_PADDING);
    simdjson::ondemand::document document;
    simdjson::ondemand::object object;
    if (state_->parser.iterate(padded).get(document) != simdjson::SUCCESS ||
        document.get_object().get(object) != simdjson::SUCCESS)
        return {};
    for (auto member : object) {
        std::string_view key;
        if (member.unescaped_key().get(key) != simdjson::SUCCESS) return {};
        std::string_view json;
        for (std::size_t i = 0; i < type.fields.size(); ++i) {
            if (type.fields[i].declaration.name != key) continue;
            if (json.empty()) {
                simdjson::ondemand::value of_member;
                if (member.value().get(of_member) != simdjson::SUCCESS) return {};
                json = state_->json_of(of_member);
            }
            misfits[i] = misfit_of(type.fields[i].declaration, json);
        }
    }
    for (std::size_t alternative = 0; alternative < type.alternatives; ++alternative) {
        bool fits = true;
        for (std::size_t i = 0; i < misfits.size(); ++i) {
            if (type.fields[i].alternative != alternative || misfits[i] == Misfit::none) continue;
            if (alternative == 0 && fits) state_->reason = misfit_text(type.fields[i].declaration, misfits[i]);
            fits = false;
        }
        if (fits) return {};
    }
    return state_->reason;
}

} // namespace questlog::event
