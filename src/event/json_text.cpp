#include "event/json_text.h"

#include "event/json_string.h"

#include <algorithm>
#include <numeric>

namespace questlog::event {
namespace {

constexpr std::string_view json_space = " \t\r\n";

/// Reads valid JSON from left to right and writes it again. One pass.
class Respacer {
public:
    explicit Respacer(std::string_view in) : in_(in) {}

    void value(std::string& out) {
        switch (peek()) {
        case '{': object(out); return;
        case '[': array(out); return;
        case '"': string(out); return;
        default: scalar(out); return;
        }
    }

    /// The members of the object that starts here, onto `members`.
    void members(std::string& out, std::vector<Member>& members) {
        ++at_; // '{'
        for (bool more = peek() != '}'; more; more = take_comma()) {
            Member member;
            member.key_at = out.size();
            string(out);
            peek();
            ++at_; // ':'
            out += ": ";
            member.value_at = out.size();
            value(out);
            member.end = out.size();
            members.push_back(member);
            if (peek() == ',') out += ", ";
        }
        ++at_; // '}'
    }

private:
    char peek() {
        while (at_ < in_.size() && json_space.find(in_[at_]) != std::string_view::npos) ++at_;
        return at_ < in_.size() ? in_[at_] : '\0';
    }

    bool take_comma() {
        if (peek() != ',') return false;
        ++at_;
        peek();
        return true;
    }

    void object(std::string& out) {
        const std::size_t first = open_.size();
        out += '{';
        const std::size_t begin = out.size();
        members(out, open_);
        const std::size_t count = open_.size();
        keep_last_values(out, open_, first);
        if (open_.size() != count) {
            std::string kept;
            append_members(kept, out, open_, first);
            out.replace(begin, std::string::npos, kept);
        }
        open_.resize(first);
        out += '}';
    }

    void array(std::string& out) {
        ++at_; // '['
        out += '[';
        for (bool more = peek() != ']'; more; more = take_comma()) {
            value(out);
            if (peek() == ',') out += ", ";
        }
        ++at_; // ']'
        out += ']';
    }

    void string(std::string& out) {
        const std::size_t begin = ++at_;
        while (at_ < in_.size() && in_[at_] != '"') at_ += in_[at_] == '\\' ? 2 : 1;
        out += '"';
        append_reescaped(out, in_.substr(begin, at_ - begin));
        out += '"';
        ++at_;
    }

    void scalar(std::string& out) {
        const std::size_t end = std::min(in_.find_first_of(",]} \t\r\n", at_), in_.size());
        out.append(in_.substr(at_, end - at_));
        at_ = end;
    }

    std::string_view in_;
    std::size_t at_ = 0;
    std::vector<Member> open_; ///< Of the objects that are open; the innermost one's last.
};

/// Whether a few members hold a key twice: the common answer, no, without sorting.
bool few_and_distinct(std::string_view text, const std::vector<Member>& members, std::size_t first) {
    if (members.size() - first > 16) return false;
    for (std::size_t i = first + 1; i < members.size(); ++i)
        for (std::size_t earlier = first; earlier < i; ++earlier)
            if (members[i].key(text) == members[earlier].key(text)) return false;
    return true;
}

} // namespace

void keep_last_values(std::string_view text, std::vector<Member>& members, std::size_t first) {
    if (few_and_distinct(text, members, first)) return;
    const std::size_t count = members.size() - first;
    // Sorted by key and then by place, repeated keys stand together: a client cannot make this quadratic.
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), first);
    std::sort(order.begin(), order.end(), [&](std::size_t one, std::size_t other) {
        const int compared = members[one].key(text).compare(members[other].key(text));
        return compared != 0 ? compared < 0 : one < other;
    });
    std::vector<std::size_t> dropped;
    for (std::size_t run = 0; run < count;) {
        std::size_t last = run;
        while (last + 1 < count && members[order[last + 1]].key(text) == members[order[run]].key(text)) ++last;
        if (last > run) {
            members[order[run]] = members[order[last]]; // the key's text is the same
            dropped.insert(dropped.end(), order.begin() + static_cast<std::ptrdiff_t>(run) + 1,
                           order.begin() + static_cast<std::ptrdiff_t>(last) + 1);
        }
        run = last + 1;
    }
    if (dropped.empty()) return;
    std::sort(dropped.begin(), dropped.end());
    std::size_t kept = dropped.front();
    auto next_dropped = dropped.begin();
    for (std::size_t i = kept; i < members.size(); ++i) {
        if (next_dropped != dropped.end() && *next_dropped == i)
            ++next_dropped;
        else
            members[kept++] = members[i];
    }
    members.resize(kept);
}

void append_members(std::string& out, std::string_view text, const std::vector<Member>& members, std::size_t first) {
    for (std::size_t i = first; i < members.size(); ++i) {
        if (i > first) out += ", ";
        out.append(text.substr(members[i].key_at, members[i].end - members[i].key_at));
    }
}

void append_respaced(std::string& out, std::string_view json) {
    Respacer(json).value(out);
}

void append_object_members(std::string& text, std::vector<Member>& members, std::string_view json) {
    Respacer(json).members(text, members);
}

std::string_view trim_json_space(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(json_space);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(json_space) + 1 - begin);
}

} // namespace questlog::event
