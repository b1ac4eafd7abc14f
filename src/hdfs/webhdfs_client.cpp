#include "hdfs/webhdfs_client.h"

#include "hdfs/file_checksum.h"
#include "hdfs/refusals.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace questlog::hdfs {
namespace {

constexpr int redirect_status = 307;
constexpr std::int64_t block_bytes_unknown = std::int64_t{1} << 62; // of a file of one block it does not matter

bool is_success(int status) {
    return status >= 200 && status < 300;
}

} // namespace

WebHdfsClient::WebHdfsClient(io::Clock& clock, io::Entropy& entropy, ClientOptions options)
    : clock_(clock), entropy_(entropy), options_(std::move(options)), http_(options_.http) {}

std::string WebHdfsClient::url(const Call& call) const {
    return fmt::format("http://{}/webhdfs/v1{}?op={}&user.name={}{}", options_.namenode, url_encoded(call.path, "/="),
                       call.operation, url_encoded(options_.user), call.query);
}

TimestampMs WebHdfsClient::now() const {
    return clock_.wall_ms().plus(clock_offset_ms_);
}

std::variant<HttpAnswer, HttpFailure> WebHdfsClient::perform(const HttpRequest& request) {
    ++requests_;
    return http_.perform(request);
}

Error WebHdfsClient::refused(const Call& call, const Refusal& refusal) const {
    return error_of(refusal, {options_.user, call.operation, call.path, options_.namenode});
}

Error WebHdfsClient::unreachable(const std::string& url, const HttpFailure& failure) const {
    const std::string host = host_of(url);
    if (host == options_.namenode)
        return retry_later("cannot reach HDFS at http://{} ({}): start its NameNode, or name another with `root` or "
                           "`webhdfs` in [lake]",
                           host, failure.what);
    return retry_later("cannot reach the DataNode http://{} that HDFS names ({}): start it, or let this machine reach "
                       "it by that name",
                       host, failure.what);
}

/// `excluded`: hosts of DataNodes that failed; the next attempt goes to others, if there are.
WebHdfsClient::Attempt WebHdfsClient::attempt(const Call& call, std::string& excluded) {
    HttpRequest request{call.method, url(call), nullptr, nullptr};
    if (!excluded.empty() && call.is_redirected)
        request.url += "&excludedatanodes=" + url_encoded(std::exchange(excluded, {}));
    if (call.restart != nullptr)
        if (const Status begun = (*call.restart)(); !begun.ok()) return {begun.error()};
    auto done = perform(request);
    bool is_redirected = false;
    if (const auto* answer = std::get_if<HttpAnswer>(&done)) {
        if (answer->date_s > 0) clock_offset_ms_ = answer->date_s * 1000 - clock_.wall_ms().value;
        if (call.is_redirected && answer->status == redirect_status) {
            is_redirected = true;
            request.url = answer->location;
            request.body = call.body;
            request.sink = call.sink;
            done = perform(request);
        }
    }
    // The NameNode does nothing more than to redirect, and a DataNode may fail with half a file written.
    const bool does_something = call.is_redirected == is_redirected;
    if (const auto* failure = std::get_if<HttpFailure>(&done)) {
        if (failure->local) return {failure->error};
        if (is_redirected) excluded = host_of(request.url).substr(0, host_of(request.url).rfind(':'));
        return {unreachable(request.url, *failure), true, failure->may_be_done && does_something};
    }
    auto& answer = std::get<HttpAnswer>(done);
    if (is_success(answer.status)) return {Outcome{std::move(answer), std::nullopt, false}};
    auto refusal = parse_refusal(answer.body);
    if (!refusal) {
        constexpr std::size_t shown = 200;
        return {
            internal("http://{} answers {} to {}, which is not WebHDFS's way ({}): name its address with `webhdfs` in "
                     "[lake]",
                     host_of(request.url), answer.status, call.operation, answer.body.substr(0, shown)),
            answer.status >= 500, does_something};
    }
    if (may_pass(meaning_of(*refusal))) return {refused(call, *refusal), true, is_redirected};
    const bool may_be_done = answer.may_be_repeated && does_something;
    return {Outcome{std::move(answer), std::move(refusal), may_be_done, std::nullopt}};
}

Result<WebHdfsClient::Outcome> WebHdfsClient::call(const Call& call, Repeat repeat) {
    const auto deadline = clock_.monotonic() + options_.patience;
    auto pause = options_.first_pause;
    bool may_be_done = false;
    std::string excluded;
    while (true) {
        Attempt tried = attempt(call, excluded);
        if (auto* outcome = std::get_if<Outcome>(&tried.result)) {
            outcome->may_be_done = outcome->may_be_done || may_be_done;
            return std::move(*outcome);
        }
        may_be_done = may_be_done || tried.may_be_done;
        Error& error = std::get<Error>(tried.result);
        if (tried.may_be_done && repeat == Repeat::if_not_done)
            return Outcome{{}, std::nullopt, true, std::move(error)};
        const bool is_over = clock_.monotonic() + pause > deadline || (options_.stopped && options_.stopped());
        if (!tried.may_succeed_later || is_over) return std::move(error);
        clock_.sleep(pause);
        pause = std::min(pause * 2, options_.longest_pause);
    }
}

Result<std::optional<FileStatus>> WebHdfsClient::status(const std::string& path) {
    const Call asked{Method::get, path, "GETFILESTATUS"};
    TRY(outcome, call(asked, Repeat::always));
    if (outcome.refusal && meaning_of(*outcome.refusal) == Meaning::missing) return std::optional<FileStatus>{};
    if (outcome.refusal) return refused(asked, *outcome.refusal);
    TRY(status, parse_file_status(outcome.answer.body));
    return std::optional(std::move(status));
}

Result<std::optional<std::vector<FileStatus>>> WebHdfsClient::list(const std::string& path) {
    const Call asked{Method::get, path, "LISTSTATUS"};
    TRY(outcome, call(asked, Repeat::always));
    if (outcome.refusal && meaning_of(*outcome.refusal) == Meaning::missing)
        return std::optional<std::vector<FileStatus>>{};
    if (outcome.refusal) return refused(asked, *outcome.refusal);
    TRY(entries, parse_listing(outcome.answer.body));
    return std::optional(std::move(entries));
}

Result<std::optional<std::vector<FileStatus>>> WebHdfsClient::list_after(const std::string& path,
                                                                         const std::string& after) {
    std::vector<FileStatus> entries;
    std::string last = after;
    while (true) {
        const Call asked{Method::get, path, "LISTSTATUS_BATCH", "&startAfter=" + url_encoded(last)};
        TRY(outcome, call(asked, Repeat::always));
        if (outcome.refusal && meaning_of(*outcome.refusal) == Meaning::missing)
            return std::optional<std::vector<FileStatus>>{};
        if (outcome.refusal) return refused(asked, *outcome.refusal);
        TRY(part, parse_listing_part(outcome.answer.body));
        if (!part.entries.empty()) last = part.entries.back().name;
        const bool is_last = part.remaining == 0 || part.entries.empty();
        std::move(part.entries.begin(), part.entries.end(), std::back_inserter(entries));
        if (is_last) return std::optional(std::move(entries));
    }
}

Status WebHdfsClient::make_directories(const std::string& path) {
    const Call asked{Method::put, path, "MKDIRS"};
    TRY(outcome, call(asked, Repeat::always));
    if (outcome.refusal) return refused(asked, *outcome.refusal);
    if (parse_boolean(outcome.answer.body) != true) return internal("HDFS did not make the folder {}", path);
    return {};
}

Result<FileStatus> WebHdfsClient::upload(const std::string& path, const Body& body) {
    TRY(made, put_file(path, body, false));
    if (!made.file) return internal("{} is there although it was to be replaced", path);
    return std::move(*made.file);
}

Result<WebHdfsClient::Created> WebHdfsClient::create(const std::string& path, const Body& body) {
    return put_file(path, body, true);
}

/// An answer that got lost: the DataNode may have the whole file, a part, or may yet write it. So the file is taken if
/// it is there as it should be, and otherwise sent under another name, which no earlier attempt knows.
Result<WebHdfsClient::Created> WebHdfsClient::put_file(const std::string& path, const Body& body, bool is_new) {
    const auto deadline = clock_.monotonic() + options_.patience;
    auto pause = options_.first_pause;
    std::string place = path;
    bool is_in_doubt = false;
    while (true) {
        Call sent{Method::put, place, "CREATE"};
        sent.query = fmt::format("&overwrite={}&createflag=CREATE,SYNC_BLOCK", is_new ? "false" : "true");
        if (options_.replication) sent.query += fmt::format("&replication={}", *options_.replication);
        sent.body = &body;
        sent.is_redirected = true;
        TRY(outcome, call(sent, Repeat::if_not_done));
        if (outcome.refusal && meaning_of(*outcome.refusal) == Meaning::exists && is_new && place == path)
            return Created{};
        if (outcome.refusal) return refused(sent, *outcome.refusal);
        is_in_doubt = is_in_doubt || outcome.may_be_done;
        if (!outcome.may_be_done && place == path && body.file == nullptr) { // 201: closed, with all of its bytes
            FileStatus written;
            written.length = body.size;
            return Created{std::move(written), false};
        }
        TRY(found, is_uploaded(place, body, outcome.may_be_done || body.file != nullptr));
        if (found && place != path) {
            TRY(renamed, rename(place, path, is_new ? Replace::no : Replace::yes));
            if (renamed == Renamed::destination_exists) {
                CHECK_OK(remove(place));
                TRY(other, is_uploaded(path, body, true)); // the first attempt's, or someone else's
                return Created{std::move(other), is_in_doubt};
            }
        }
        if (found) return Created{std::move(found), false};
        if (place != path) static_cast<void>(remove(place)); // nobody else knows the name
        if (clock_.monotonic() + pause > deadline)
            return outcome.last_error.value_or(
                retry_later("HDFS did not keep {} as it was sent: run this again, and look at its DataNodes with `hdfs "
                            "dfsadmin -report`",
                            path));
        clock_.sleep(pause);
        pause = std::min(pause * 2, options_.longest_pause);
        std::array<std::byte, 8> random{};
        entropy_.fill(random);
        place = path + ".again-";
        for (const std::byte byte : random)
            fmt::format_to(std::back_inserter(place), "{:02x}", std::to_integer<unsigned>(byte));
    }
}

/// The file, if it is what was sent: by its length, and where `thorough` by its checksum.
Result<std::optional<FileStatus>> WebHdfsClient::is_uploaded(const std::string& path, const Body& body, bool thorough) {
    TRY(found, status(path));
    if (!found || found->kind != io::Kind::file || found->length != body.size) return std::optional<FileStatus>{};
    if (body.size == 0 || !thorough) return found;
    TRY(remote, checksum(path));
    const auto layout = ChecksumLayout::of(remote, block_bytes_unknown);
    if (!layout) return found;
    FileChecksum local(*layout);
    if (body.file == nullptr) {
        local.add(body.bytes);
    } else {
        std::vector<std::byte> buffer(std::size_t{1} << 20);
        for (std::int64_t at = 0; at < body.size;) {
            TRY(got, body.file->read_at(at, buffer));
            if (got == 0) return internal("the file became shorter while it was sent");
            local.add(std::span(buffer).first(got));
            at += static_cast<std::int64_t>(got);
        }
    }
    return is_same(remote, local.finish()) ? found : std::optional<FileStatus>{};
}

Result<bool> WebHdfsClient::read(const std::string& path, const std::function<Status()>& restart, const Sink& sink) {
    Call asked{Method::get, path, "OPEN"};
    asked.sink = &sink;
    asked.restart = &restart;
    asked.is_redirected = true;
    TRY(outcome, call(asked, Repeat::always));
    if (outcome.refusal && meaning_of(*outcome.refusal) == Meaning::missing) return false;
    if (outcome.refusal) return refused(asked, *outcome.refusal);
    return true;
}

Result<std::optional<std::string>> WebHdfsClient::read_text(const std::string& path) {
    std::string text;
    TRY(is_there, read(
                      path,
                      [&]() -> Status {
                          text.clear();
                          return {};
                      },
                      [&](std::span<const std::byte> bytes) -> Status {
                          text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                          return {};
                      }));
    return is_there ? std::optional(std::move(text)) : std::nullopt;
}

Result<RemoteChecksum> WebHdfsClient::checksum(const std::string& path) {
    Call asked{Method::get, path, "GETFILECHECKSUM"};
    asked.is_redirected = true;
    TRY(outcome, call(asked, Repeat::always));
    if (outcome.refusal) return refused(asked, *outcome.refusal);
    return parse_checksum(outcome.answer.body);
}

Result<WebHdfsClient::Renamed> WebHdfsClient::rename(const std::string& from, const std::string& to, Replace replace) {
    Call asked{Method::put, from, "RENAME"};
    asked.query = fmt::format("&destination={}&renameoptions={}", url_encoded(to, "/="),
                              replace == Replace::yes ? "OVERWRITE" : "NONE");
    TRY(outcome, call(asked, Repeat::always));
    if (!outcome.refusal && parse_boolean(outcome.answer.body) != false) return Renamed::done;
    const Meaning meaning = outcome.refusal ? meaning_of(*outcome.refusal) : Meaning::other;
    const bool is_told = !outcome.refusal || meaning == Meaning::exists || meaning == Meaning::missing;
    if (!is_told) return refused(asked, *outcome.refusal);
    if (meaning == Meaning::exists && !outcome.may_be_done && replace == Replace::no)
        return Renamed::destination_exists;
    // A lost answer, or a gateway that says no more than false: one of the two names tells.
    TRY(source, status(from));
    TRY(destination, status(to));
    if (!source && destination && outcome.may_be_done) return Renamed::done;
    if (!source) return Renamed::source_missing;
    if (destination) return Renamed::destination_exists;
    return outcome.refusal ? refused(asked, *outcome.refusal)
                           : internal("HDFS did not rename {} to {}, and does not say why", from, to);
}

Status WebHdfsClient::remove(const std::string& path) {
    const Call asked{Method::remove, path, "DELETE", "&recursive=true"};
    TRY(outcome, call(asked, Repeat::always));
    if (outcome.refusal && meaning_of(*outcome.refusal) == Meaning::missing) return {};
    if (outcome.refusal) return refused(asked, *outcome.refusal);
    if (parse_boolean(outcome.answer.body) == true) return {};
    TRY(left, status(path)); // false: there was none, or it could not be
    return left ? Status(internal("HDFS did not remove {}", path)) : Status();
}

Result<bool> WebHdfsClient::set_modified(const std::string& path, TimestampMs time) {
    const Call asked{Method::put, path, "SETTIMES", fmt::format("&modificationtime={}&accesstime=-1", time.value)};
    TRY(outcome, call(asked, Repeat::always));
    if (outcome.refusal && meaning_of(*outcome.refusal) == Meaning::missing) return false;
    if (outcome.refusal) return refused(asked, *outcome.refusal);
    return true;
}

Result<std::int64_t> WebHdfsClient::remaining_bytes() {
    const Call asked{Method::get, "/", "GETSTATUS"};
    TRY(outcome, call(asked, Repeat::always));
    if (outcome.refusal) return refused(asked, *outcome.refusal);
    return parse_remaining_bytes(outcome.answer.body);
}

} // namespace questlog::hdfs
