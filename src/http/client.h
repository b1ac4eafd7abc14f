#pragma once

#include "base/result.h"
#include "io/descriptor.h"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace questlog::http {

/// An answer as it came.
struct ClientAnswer {
    unsigned status = 0;
    std::string body;
};

/// A request that posts a body.
struct Post {
    std::string target; ///< "/events?receipt=1"
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

/// A connection to a questlog server, for commands. RFC 9112, of answers with a Content-Length. One thread.
class Client {
public:
    /// `url` as a server tells it: "http://127.0.0.1:5000", "http://[::1]:5000". `retry_later`: nobody listens there.
    /// Each answer is waited for up to `limit`.
    static Result<Client> connect(const std::string& url, std::chrono::seconds limit);

    /// Sends all, one behind the other, and reads their answers. After an error nobody knows which of them arrived.
    Result<std::vector<ClientAnswer>> exchange(const std::vector<Post>& requests);

private:
    Client(io::Descriptor socket, std::string host) : socket_(std::move(socket)), host_(std::move(host)) {}
    Result<ClientAnswer> read_answer();
    Status receive();

    io::Descriptor socket_;
    std::string host_;
    std::string received_;
};

} // namespace questlog::http
