#pragma once

#include "base/result.h"
#include "hdfs/answers.h"
#include "hdfs/http_client.h"
#include "io/env.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace questlog::hdfs {

struct ClientOptions {
    std::string namenode;             ///< "HOST:PORT" of WebHDFS.
    std::string user;                 ///< `user.name`, whom HDFS takes us for.
    std::optional<int> replication{}; ///< Of new files; none: the cluster's own.
    HttpOptions http{};
    std::chrono::milliseconds patience{15'000}; ///< For how long a call is tried again before it is an error.
    std::chrono::milliseconds first_pause{100}; ///< Doubles with each attempt.
    std::chrono::milliseconds longest_pause{2'000};
    std::function<bool()>
        stopped{}; ///< True: nothing is tried again, as the process is to end. Any thread; may be empty.
};

/// HDFS through WebHDFS: files and folders by absolute paths ("/lake/events"). Any thread.
///
/// What may succeed a moment later (no connection, safe mode, no DataNode) is tried again within the patience, and is
/// `retry_later` then; so is a quota, with EDQUOT as system_errno. `reject` is what the caller may not do. No call is
/// taken for undone because its answer got lost: what it should have done is looked at.
class WebHdfsClient {
public:
    WebHdfsClient(io::Clock& clock, io::Entropy& entropy, ClientOptions options);

    /// nullopt: there is no such path.
    Result<std::optional<FileStatus>> status(const std::string& path);
    Result<std::optional<std::vector<FileStatus>>> list(const std::string& path);
    /// Those whose names come after `after`, in bytes' order.
    Result<std::optional<std::vector<FileStatus>>> list_after(const std::string& path, const std::string& after);
    Status make_directories(const std::string& path);

    /// The whole file, in the place of what was there; its blocks are synced where they lie. The status is of the file
    /// as it is then, with the length that was sent; of a body in memory whose answer came, it has no more than that.
    Result<FileStatus> upload(const std::string& path, const Body& body);
    /// As upload(), where there is none yet.
    struct Created {
        std::optional<FileStatus> file; ///< nullopt: there is another one.
        bool may_be_a_rest = false;     ///< What is there may be what a failed attempt of this call has left.
    };
    Result<Created> create(const std::string& path, const Body& body);
    /// The file's bytes, as often as it takes: `restart` is called before each attempt. False: there is no such file.
    Result<bool> read(const std::string& path, const std::function<Status()>& restart, const Sink& sink);
    Result<std::optional<std::string>> read_text(const std::string& path);
    Result<RemoteChecksum> checksum(const std::string& path);

    enum class Renamed : std::uint8_t { done, destination_exists, source_missing };
    enum class Replace : std::uint8_t { no, yes };
    Result<Renamed> rename(const std::string& from, const std::string& to, Replace replace);
    Status remove(const std::string& path); ///< With all that is in it. A missing one is success.
    Result<bool> set_modified(const std::string& path, TimestampMs time); ///< False: there is no such file.
    Result<std::int64_t> remaining_bytes(); ///< Of the cluster's disks, before replication.

    /// The NameNode's wall clock, to a second, by its last answer; the machine's where there was none yet.
    [[nodiscard]] TimestampMs now() const;

    [[nodiscard]] const ClientOptions& options() const { return options_; }
    /// Requests so far, to the NameNode and to DataNodes.
    [[nodiscard]] std::int64_t requests() const { return requests_; }

private:
    struct Call {
        Method method = Method::get;
        std::string path;
        std::string operation; ///< "CREATE"
        std::string query{};   ///< "&overwrite=true"
        const Body* body = nullptr;
        const Sink* sink = nullptr;
        bool is_redirected = false; ///< To a DataNode.
        const std::function<Status()>* restart = nullptr;
    };
    /// How a call ended: with an answer of 2xx, or refused for good.
    struct Outcome {
        HttpAnswer answer;
        std::optional<Refusal> refusal;
        bool may_be_done = false;          ///< An earlier attempt's answer got lost, or told of a failure half-way.
        std::optional<Error> last_error{}; ///< Why there is no answer, where there is none.
    };
    enum class Repeat : std::uint8_t { always, if_not_done };

    struct Attempt {
        std::variant<Outcome, Error> result;
        bool may_succeed_later = false;
        bool may_be_done = false;
    };

    Result<Outcome> call(const Call& call, Repeat repeat);
    Attempt attempt(const Call& call, std::string& excluded);
    std::variant<HttpAnswer, HttpFailure> perform(const HttpRequest& request);
    [[nodiscard]] std::string url(const Call& call) const;
    [[nodiscard]] Error refused(const Call& call, const Refusal& refusal) const;
    [[nodiscard]] Error unreachable(const std::string& url, const HttpFailure& failure) const;
    Result<Created> put_file(const std::string& path, const Body& body, bool is_new);
    Result<std::optional<FileStatus>> is_uploaded(const std::string& path, const Body& body, bool thorough);

    io::Clock& clock_;
    io::Entropy& entropy_;
    ClientOptions options_;
    HttpClient http_;
    std::atomic<std::int64_t> requests_ = 0;
    std::atomic<std::int64_t> clock_offset_ms_ = 0; ///< What the NameNode's clock is ahead by.
};

} // namespace questlog::hdfs
