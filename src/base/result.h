#pragma once

#include <cstdint>
#include <fmt/format.h>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace questlog {

/// Errors are named by what the caller should do about them.
enum class ErrorKind : std::uint8_t {
    retry_later, ///< Nothing is wrong with the request; the same call may succeed later (full disk, lock held).
    reject,      ///< The input is wrong; the same call fails again until it is changed.
    corrupt,     ///< Stored bytes are damaged; a person must look before anything is written there.
    internal,    ///< The machine or the program failed; nothing about the input helps.
};

/// What went wrong, in a sentence that also says what to do next. Values only; safe to copy between threads.
struct Error {
    ErrorKind kind = ErrorKind::internal;
    std::string message;
    int system_errno = 0; ///< errno where an OS call was the cause, else 0.

    /// The same error with `context` in front: "context: message".
    [[nodiscard]] Error within(std::string_view context) const {
        return Error{kind, fmt::format("{}: {}", context, message), system_errno};
    }
};

/// Process exit code: 0 done, 1 failed, 2 usage or configuration.
[[nodiscard]] constexpr int exit_code_of(ErrorKind kind) {
    switch (kind) {
    case ErrorKind::retry_later: return 1;
    case ErrorKind::reject: return 2;
    case ErrorKind::corrupt: return 1;
    case ErrorKind::internal: return 1;
    }
    return 1;
}

/// HTTP status of an answer that reports the error.
[[nodiscard]] constexpr unsigned http_status_of(ErrorKind kind) {
    switch (kind) {
    case ErrorKind::retry_later: return 503;
    case ErrorKind::reject: return 400;
    case ErrorKind::corrupt: return 500;
    case ErrorKind::internal: return 500;
    }
    return 500;
}

template <class... Args> [[nodiscard]] Error fail(ErrorKind kind, fmt::format_string<Args...> text, Args&&... args) {
    return Error{kind, fmt::format(text, std::forward<Args>(args)...), 0};
}

template <class... Args> [[nodiscard]] Error reject(fmt::format_string<Args...> text, Args&&... args) {
    return Error{ErrorKind::reject, fmt::format(text, std::forward<Args>(args)...), 0};
}

template <class... Args> [[nodiscard]] Error retry_later(fmt::format_string<Args...> text, Args&&... args) {
    return Error{ErrorKind::retry_later, fmt::format(text, std::forward<Args>(args)...), 0};
}

template <class... Args> [[nodiscard]] Error corrupt(fmt::format_string<Args...> text, Args&&... args) {
    return Error{ErrorKind::corrupt, fmt::format(text, std::forward<Args>(args)...), 0};
}

template <class... Args> [[nodiscard]] Error internal(fmt::format_string<Args...> text, Args&&... args) {
    return Error{ErrorKind::internal, fmt::format(text, std::forward<Args>(args)...), 0};
}

/// A value or an Error. value() on an error and error() on a value are programming faults (std::get throws).
template <class T> class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}     // NOLINT(google-explicit-constructor)
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {} // NOLINT(google-explicit-constructor)

    [[nodiscard]] bool ok() const { return state_.index() == 0; }
    explicit operator bool() const { return ok(); }

    [[nodiscard]] T& value() & { return std::get<0>(state_); }
    [[nodiscard]] const T& value() const& { return std::get<0>(state_); }
    [[nodiscard]] T&& value() && { return std::get<0>(std::move(state_)); }
    [[nodiscard]] const Error& error() const { return std::get<1>(state_); }

    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

private:
    std::variant<T, Error> state_;
};

/// Success without a value, or an Error.
template <> class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {} // NOLINT(google-explicit-constructor)

    [[nodiscard]] bool ok() const { return !error_.has_value(); }
    explicit operator bool() const { return ok(); }
    [[nodiscard]] const Error& error() const { return error_.value(); }

private:
    std::optional<Error> error_;
};

using Status = Result<void>;

#define QUESTLOG_CONCAT_(a, b) a##b
#define QUESTLOG_CONCAT(a, b) QUESTLOG_CONCAT_(a, b)

/// TRY(name, expression): binds the value of a Result, or returns its error from the enclosing function.
#define TRY(name, ...) TRY_AS_(QUESTLOG_CONCAT(try_result_, __LINE__), name, __VA_ARGS__)
#define TRY_AS_(temporary, name, ...)                                                                                  \
    auto temporary = (__VA_ARGS__);                                                                                    \
    if (!temporary.ok()) return temporary.error();                                                                     \
    auto name = std::move(temporary).value()

/// The error of `result`, if it is one. A call rather than a reference, so that `result` may be a part of a temporary.
template <class T> [[nodiscard]] std::optional<Error> error_in(const Result<T>& result) {
    return result.ok() ? std::nullopt : std::optional<Error>(result.error());
}

/// CHECK_OK(expression): returns the error of a Status or Result from the enclosing function, if it is one. The value
/// is neither copied nor moved.
#define CHECK_OK(...)                                                                                                  \
    do {                                                                                                               \
        if (auto check_ok_error = ::questlog::error_in((__VA_ARGS__))) return std::move(*check_ok_error);              \
    } while (false)

} // namespace questlog
