#pragma once

#include "hdfs/fault_fixture.h"
#include "hdfs/file_checksum.h"
#include "hdfs/webhdfs_client.h"
#include "io/real_env.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <chrono>
#include <deque>
#include <fmt/format.h>
#include <list>
#include <map>
#include <mutex>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

/// For tests: a NameNode and a DataNode in one small HTTP server, that fail as they are told to.
namespace questlog::hdfs {

class FakeHdfs {
public:
    struct Node {
        bool is_folder = false;
        std::string bytes;
        std::int64_t modified = 0;
        std::int64_t id = 0;
    };

    FakeHdfs() {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        ::listen(listener_, 64);
        port_ = ntohs(address.sin_port);
        nodes_["/"] = Node{true, {}, now_ms_, 16385};
        acceptor_ = std::thread([this] { accept_all(); });
    }

    ~FakeHdfs() { stop(); }

    FakeHdfs(const FakeHdfs&) = delete;
    FakeHdfs& operator=(const FakeHdfs&) = delete;

    /// Nobody is reached any more.
    void stop() {
        if (!acceptor_.joinable()) return;
        ::shutdown(listener_, SHUT_RDWR);
        acceptor_.join();
        ::close(listener_);
        {
            const std::lock_guard lock(mutex_);
            for (const int connection : connections_) ::shutdown(connection, SHUT_RDWR);
        }
        for (std::thread& worker : workers_) worker.join();
    }

    [[nodiscard]] std::string address() const { return fmt::format("127.0.0.1:{}", port_); }

    /// The next calls of the operation; of CREATE, OPEN and GETFILECHECKSUM "-data" behind it is the DataNode's part.
    void fail(const std::string& operation, Fault fault, int times = 1) {
        const std::lock_guard lock(mutex_);
        for (int i = 0; i < times; ++i) faults_[operation].push_back(fault);
    }
    void set_clock(std::int64_t ms) {
        const std::lock_guard lock(mutex_);
        now_ms_ = ms;
    }
    [[nodiscard]] int calls(const std::string& operation) {
        const std::lock_guard lock(mutex_);
        return calls_[operation];
    }
    [[nodiscard]] int connections() {
        const std::lock_guard lock(mutex_);
        return accepted_;
    }
    [[nodiscard]] std::optional<Node> node(const std::string& path) {
        const std::lock_guard lock(mutex_);
        const auto found = nodes_.find(path);
        return found == nodes_.end() ? std::nullopt : std::optional(found->second);
    }
    [[nodiscard]] std::vector<std::string> paths() {
        const std::lock_guard lock(mutex_);
        std::vector<std::string> paths;
        for (const auto& [path, node] : nodes_) paths.push_back(path);
        return paths;
    }
    void put(const std::string& path, const std::string& bytes) {
        const std::lock_guard lock(mutex_);
        make_folders(parent_of(path));
        nodes_[path] = Node{false, bytes, now_ms_, ++ids_};
    }
    void set_modified(const std::string& path, std::int64_t ms) {
        const std::lock_guard lock(mutex_);
        nodes_.at(path).modified = ms;
    }

private:
    struct Request {
        std::string method, path, operation, body;
        std::map<std::string, std::string> parameters;
    };
    struct Answer {
        int status = 200;
        std::string body{};
        std::string headers{};
        bool closes = false;
    };

    static std::string decoded(std::string_view text) {
        std::string plain;
        for (std::size_t at = 0; at < text.size(); ++at) {
            unsigned code = 0;
            if (text[at] == '%' && at + 2 < text.size() &&
                std::from_chars(text.data() + at + 1, text.data() + at + 3, code, 16).ptr == text.data() + at + 3) {
                plain += static_cast<char>(code);
                at += 2;
            } else {
                plain += text[at];
            }
        }
        return plain;
    }

    void accept_all() {
        while (true) {
            const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (connection < 0) return;
            const std::lock_guard lock(mutex_);
            ++accepted_;
            connections_.push_back(connection);
            workers_.emplace_back([this, connection] {
                while (serve(connection)) {
                }
                ::shutdown(connection, SHUT_RDWR);
            });
        }
    }

    static void send_all(int connection, std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }

    static std::optional<Request> read_request(int connection) {
        std::string head;
        char byte = 0;
        while (!head.ends_with("\r\n\r\n")) {
            if (::recv(connection, &byte, 1, 0) != 1) return std::nullopt;
            head += byte;
        }
        Request request;
        request.method = head.substr(0, head.find(' '));
        const std::size_t begin = head.find(' ') + 1;
        const std::string target = head.substr(begin, head.find(' ', begin) - begin);
        const std::size_t mark = target.find('?');
        constexpr std::string_view prefix = "/webhdfs/v1";
        request.path = decoded(target.substr(prefix.size(), mark - prefix.size()));
        if (request.path.empty()) request.path = "/";
        for (std::size_t at = mark + 1; at < target.size();) {
            const std::size_t end = std::min(target.find('&', at), target.size());
            const std::string pair = target.substr(at, end - at);
            request.parameters[pair.substr(0, pair.find('='))] = decoded(pair.substr(pair.find('=') + 1));
            at = end + 1;
        }
        request.operation = request.parameters["op"];
        if (head.find("100-continue") != std::string::npos) send_all(connection, "HTTP/1.1 100 Continue\r\n\r\n");
        constexpr std::string_view length_name = "Content-Length: ";
        if (const std::size_t length = head.find(length_name); length != std::string::npos) {
            std::size_t wanted = 0;
            std::from_chars(head.data() + length + length_name.size(), head.data() + head.size(), wanted);
            request.body.resize(wanted);
            for (std::size_t got = 0; got < wanted;) {
                const auto more = ::recv(connection, request.body.data() + got, wanted - got, 0);
                if (more <= 0) return std::nullopt;
                got += static_cast<std::size_t>(more);
            }
        }
        return request;
    }

    bool serve(int connection) {
        auto request = read_request(connection);
        if (!request) return false;
        const bool is_data = request->parameters.contains("datanode");
        Answer answer;
        std::optional<Fault> fault;
        {
            std::unique_lock lock(mutex_);
            const std::string name = request->operation + (is_data ? "-data" : "");
            ++calls_[name];
            auto& faults = faults_[name];
            if (!faults.empty()) {
                fault = faults.front();
                faults.pop_front();
            }
            if (fault && fault->before) {
                lock.unlock();
                fault->before();
                lock.lock();
            }
            const auto is = [&](Fault::Kind kind) { return fault && fault->kind == kind; };
            if (is(Fault::Kind::drop)) return false;
            if (is(Fault::Kind::stall)) {
                answer.status = 0;
            } else if (is(Fault::Kind::refuse) || is(Fault::Kind::refuse_rest)) {
                if (is(Fault::Kind::refuse_rest)) {
                    make_folders(parent_of(request->path));
                    nodes_[request->path] = Node{false, {}, now_ms_, ++ids_};
                }
                answer = fault->exception.empty() ? Answer{fault->status, fault->message}
                                                  : refusal(fault->status, fault->exception, fault->message);
            } else if (is(Fault::Kind::boolean_false)) {
                answer.body = R"({"boolean":false})";
            } else {
                if (is(Fault::Kind::cut_upload)) request->body.resize(request->body.size() / 2);
                if (is(Fault::Kind::damage) && !request->body.empty()) request->body.front() ^= 1;
                answer = act(*request, is_data);
                if (is(Fault::Kind::cut_upload) || is(Fault::Kind::drop_answer)) return false;
                if (is(Fault::Kind::damage) && !answer.body.empty()) answer.body.front() ^= 1;
            }
        }
        if (answer.status == 0) { // until the client gives up, or the test ends
            char byte = 0;
            static_cast<void>(::recv(connection, &byte, 1, 0));
            return false;
        }
        std::string text = fmt::format("HTTP/1.1 {} Some\r\nDate: {}\r\n{}Content-Length: {}\r\n\r\n{}", answer.status,
                                       date(), answer.headers, answer.body.size(), answer.body);
        if (fault && fault->kind == Fault::Kind::cut_answer) text.resize(text.size() - answer.body.size() / 2 - 1);
        send_all(connection, text);
        return !answer.closes && !(fault && fault->kind == Fault::Kind::cut_answer);
    }

    std::string date() {
        const std::lock_guard lock(mutex_);
        const std::time_t seconds = now_ms_ / 1000;
        std::tm parts{};
        ::gmtime_r(&seconds, &parts);
        char text[64];
        std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
        return text;
    }

    static Answer refusal(int status, const std::string& exception, const std::string& message) {
        return {status,
                fmt::format(R"({{"RemoteException":{{"exception":"{}","javaClassName":"x.{}","message":"{}"}}}})",
                            exception, exception, message)};
    }
    static Answer missing(const std::string& path) {
        return refusal(404, "FileNotFoundException", "File does not exist: " + path);
    }
    static std::string parent_of(const std::string& path) {
        const std::size_t slash = path.rfind('/');
        return slash == 0 ? "/" : path.substr(0, slash);
    }

    std::string json_of(const std::string& name, const Node& node) const {
        return fmt::format(R"({{"fileId":{},"group":"supergroup","length":{},"modificationTime":{},"owner":"root",)"
                           R"("pathSuffix":"{}","permission":"{}","replication":1,"type":"{}"}})",
                           node.id, node.bytes.size(), node.modified, name, node.is_folder ? "755" : "644",
                           node.is_folder ? "DIRECTORY" : "FILE");
    }

    void make_folders(const std::string& path) {
        if (nodes_.contains(path)) return;
        make_folders(parent_of(path));
        nodes_[path] = Node{true, {}, now_ms_, ++ids_};
    }

    std::string children(const std::string& folder, const std::string& after) const {
        std::string list;
        const std::string prefix = folder == "/" ? folder : folder + "/";
        for (const auto& [path, node] : nodes_) {
            if (path.size() <= prefix.size() || !path.starts_with(prefix)) continue;
            const std::string name = path.substr(prefix.size());
            if (name.find('/') != std::string::npos || name <= after) continue;
            list += (list.empty() ? "" : ",") + json_of(name, node);
        }
        return list;
    }

    Answer redirect(const Request& request) {
        std::string query = fmt::format("op={}&datanode=1", request.operation);
        for (const std::string name : {"overwrite", "createflag", "excludedatanodes"})
            if (const auto found = request.parameters.find(name); found != request.parameters.end())
                query += fmt::format("&{}={}", name, found->second);
        return {307,
                {},
                fmt::format("Location: http://127.0.0.1:{}/webhdfs/v1{}?{}\r\n", port_, url_encoded(request.path, "/="),
                            query)};
    }

    Answer act(const Request& request, bool is_data) {
        const std::string& path = request.path;
        const auto found = nodes_.find(path);
        if (request.operation == "CREATE") {
            if (!is_data) return redirect(request);
            const bool overwrites = request.parameters.at("overwrite") == "true";
            if (found != nodes_.end() && !overwrites) {
                Answer answer =
                    refusal(403, "FileAlreadyExistsException", path + " for client 127.0.0.1 already exists");
                answer.closes = true;
                return answer;
            }
            make_folders(parent_of(path));
            nodes_[path] = Node{false, request.body, now_ms_, ++ids_};
            return {201, {}, "Connection: close\r\n", true};
        }
        if (request.operation == "MKDIRS") {
            make_folders(path);
            return {200, R"({"boolean":true})"};
        }
        if (request.operation == "DELETE") {
            const bool was_there = found != nodes_.end();
            std::erase_if(nodes_,
                          [&](const auto& node) { return node.first == path || node.first.starts_with(path + "/"); });
            return {200, fmt::format(R"({{"boolean":{}}})", was_there)};
        }
        if (request.operation == "GETSTATUS") return {200, R"({"FsStatus":{"used":1,"remaining":75,"capacity":100}})"};
        if (found == nodes_.end()) return missing(path);
        if (request.operation == "GETFILESTATUS")
            return {200, fmt::format(R"({{"FileStatus":{}}})", json_of("", found->second))};
        if (request.operation == "LISTSTATUS")
            return {200, fmt::format(R"({{"FileStatuses":{{"FileStatus":[{}]}}}})",
                                     found->second.is_folder ? children(path, "") : json_of("", found->second))};
        if (request.operation == "LISTSTATUS_BATCH")
            return {200,
                    fmt::format(R"({{"DirectoryListing":{{"partialListing":{{"FileStatuses":{{"FileStatus":[{}]}}}},)"
                                R"("remainingEntries":0}}}})",
                                children(path, request.parameters.at("startAfter")))};
        if (request.operation == "SETTIMES") {
            std::from_chars(request.parameters.at("modificationtime").data(),
                            request.parameters.at("modificationtime").data() +
                                request.parameters.at("modificationtime").size(),
                            found->second.modified);
            return {200, {}};
        }
        if (request.operation == "RENAME") {
            const std::string& to = request.parameters.at("destination");
            const bool overwrites = request.parameters.at("renameoptions") == "OVERWRITE";
            if (nodes_.contains(to) && !overwrites)
                return refusal(403, "FileAlreadyExistsException", "rename destination " + to + " already exists");
            if (!nodes_.contains(parent_of(to)))
                return refusal(404, "FileNotFoundException", "rename destination parent " + to + " not found.");
            std::map<std::string, Node> moved;
            for (const auto& [name, node] : nodes_)
                if (name == path || name.starts_with(path + "/")) moved[to + name.substr(path.size())] = node;
            std::erase_if(nodes_,
                          [&](const auto& node) { return node.first == path || node.first.starts_with(path + "/"); });
            for (auto& [name, node] : moved) nodes_[name] = node;
            return {200, {}};
        }
        if (!is_data) return redirect(request);
        if (request.operation == "OPEN") return {200, found->second.bytes, "Connection: close\r\n", true};
        if (request.operation == "GETFILECHECKSUM") {
            FileChecksum sum(ChecksumLayout{});
            sum.add(std::as_bytes(std::span(found->second.bytes)));
            return {200, fmt::format(R"({{"FileChecksum":{{"algorithm":"MD5-of-0MD5-of-512CRC32C",)"
                                     R"("bytes":"000002000000000000000000{}00000000","length":28}}}})",
                                     sum.finish())};
        }
        return refusal(400, "IllegalArgumentException", "no " + request.operation);
    }

    int listener_ = -1;
    int port_ = 0;
    std::thread acceptor_;
    std::mutex mutex_;
    std::list<std::thread> workers_;
    std::vector<int> connections_;
    std::map<std::string, Node> nodes_;
    std::map<std::string, std::deque<Fault>> faults_;
    std::map<std::string, int> calls_;
    std::int64_t now_ms_ = 1'795'384'733'000;
    std::int64_t ids_ = 16'385;
    int accepted_ = 0;
};

} // namespace questlog::hdfs
