#include "hdfs/http_client.h"

#include <algorithm>
#include <array>
#include <curl/curl.h>
#include <fmt/format.h>
#include <mutex>
#include <set>

namespace questlog::hdfs {
namespace {

constexpr std::size_t idle_handles_max = 8;
constexpr std::size_t answer_bytes_max = std::size_t{1} << 30; // a listing; files go to a sink
constexpr int ok_status = 200;

/// One exchange, as libcurl's callbacks see it.
struct Exchange {
    const HttpRequest& request;
    CURL* curl;
    HttpAnswer answer{};
    std::int64_t sent = 0;
    std::optional<Error> local_failure{};
};

std::size_t on_bytes(char* bytes, std::size_t size, std::size_t count, void* context) {
    auto& exchange = *static_cast<Exchange*>(context);
    const std::span<const std::byte> got = std::as_bytes(std::span(bytes, size * count));
    long status = 0;
    curl_easy_getinfo(exchange.curl, CURLINFO_RESPONSE_CODE, &status);
    if (exchange.request.sink != nullptr && status == ok_status) {
        if (const Status taken = (*exchange.request.sink)(got); !taken.ok()) {
            exchange.local_failure = taken.error();
            return CURL_WRITEFUNC_ERROR;
        }
        return got.size();
    }
    if (exchange.answer.body.size() + got.size() > answer_bytes_max) return CURL_WRITEFUNC_ERROR;
    exchange.answer.body.append(bytes, got.size());
    return got.size();
}

std::size_t on_body_wanted(char* into, std::size_t size, std::size_t count, void* context) {
    auto& exchange = *static_cast<Exchange*>(context);
    const Body& body = *exchange.request.body;
    const auto room = std::min(static_cast<std::int64_t>(size * count), body.size - exchange.sent);
    if (room <= 0) return 0;
    const auto bytes = static_cast<std::size_t>(room);
    if (body.file == nullptr) {
        std::copy_n(body.bytes.data() + exchange.sent, bytes, reinterpret_cast<std::byte*>(into));
        exchange.sent += room;
        return bytes;
    }
    auto got = body.file->read_at(exchange.sent, std::as_writable_bytes(std::span(into, bytes)));
    if (!got.ok() || *got == 0) {
        exchange.local_failure = got.ok() ? internal("the file became shorter while it was sent") : got.error();
        return CURL_READFUNC_ABORT;
    }
    exchange.sent += static_cast<std::int64_t>(*got);
    return *got;
}

int on_rewind(void* context, curl_off_t offset, int origin) {
    if (origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
    static_cast<Exchange*>(context)->sent = offset;
    return CURL_SEEKFUNC_OK;
}

std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* context) {
    auto& exchange = *static_cast<Exchange*>(context);
    const std::string_view line(bytes, size * count);
    constexpr std::string_view date = "date:";
    const auto is_same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
    if (line.size() > date.size() && std::equal(date.begin(), date.end(), line.begin(), is_same))
        exchange.answer.date_s =
            std::max<std::int64_t>(0, curl_getdate(std::string(line.substr(date.size())).c_str(), nullptr));
    return line.size();
}

bool was_not_sent(CURLcode code) {
    return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_PROXY ||
           code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL;
}

} // namespace

struct HttpClient::Handle {
    CURL* curl = curl_easy_init();
    std::set<std::string, std::less<>> hosts; ///< That a connection may be kept to.
    Handle() = default;
    ~Handle() { curl_easy_cleanup(curl); }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
};

HttpClient::HttpClient(HttpOptions options) : options_(options) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

HttpClient::~HttpClient() = default;

std::unique_ptr<HttpClient::Handle> HttpClient::take() {
    return idle_.with([](auto& idle) {
        if (idle.empty()) return std::make_unique<Handle>();
        auto handle = std::move(idle.back());
        idle.pop_back();
        return handle;
    });
}

std::variant<HttpAnswer, HttpFailure> HttpClient::perform(const HttpRequest& request) {
    auto handle = take();
    CURL* curl = handle->curl;
    if (curl == nullptr) return HttpFailure{"no memory for a connection", false};
    curl_easy_reset(curl); // connections stay
    std::array<char, CURL_ERROR_SIZE> why{};
    curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, ""); // a cluster's hosts are within reach, whatever the environment says
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why.data());
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
                     static_cast<long>(std::max<std::int64_t>(1, options_.stall_timeout.count() / 1000)));
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 512L * 1024);
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 512L * 1024);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    const Body nothing;
    HttpRequest with_body = request;
    switch (request.method) {
    case Method::get: break;
    case Method::remove: curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "DELETE"); break;
    case Method::put:
        if (with_body.body == nullptr) with_body.body = &nothing;
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(with_body.body->size));
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_body_wanted);
        curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_rewind);
        break;
    }
    Exchange running{with_body, curl};
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &running);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &running);
    curl_easy_setopt(curl, CURLOPT_READDATA, &running);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, &running);

    const CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK) {
        const std::string what = why.front() != '\0' ? why.data() : curl_easy_strerror(code);
        HttpFailure failure{what, !was_not_sent(code)};
        if (running.local_failure) {
            failure.local = true;
            failure.error = *running.local_failure;
        }
        return failure; // and the handle goes, with its connection
    }
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    running.answer.status = static_cast<int>(status);
    long connects = 0;
    curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connects);
    const bool was_known = !handle->hosts.insert(host_of(request.url)).second;
    running.answer.may_be_repeated = was_known && connects > 0;
    const char* location = nullptr;
    curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &location);
    if (location != nullptr) running.answer.location = location;
    idle_.with([&](auto& idle) {
        if (idle.size() < idle_handles_max) idle.push_back(std::move(handle));
    });
    return std::move(running.answer);
}

std::string host_of(std::string_view url) {
    const std::size_t begin = url.find("://");
    if (begin != std::string_view::npos) url.remove_prefix(begin + 3);
    return std::string(url.substr(0, url.find('/')));
}

std::string url_encoded(std::string_view text, std::string_view kept) {
    std::string encoded;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                           c == '.' || c == '_' || c == '~' || kept.find(c) != std::string_view::npos;
        if (plain)
            encoded += c;
        else
            fmt::format_to(std::back_inserter(encoded), "%{:02X}", static_cast<unsigned char>(c));
    }
    return encoded;
}

} // namespace questlog::hdfs
