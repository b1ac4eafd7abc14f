#pragma once

#include "control/administration.h"
#include "io/descriptor.h"
#include "io/env.h"

#include <memory>
#include <string>
#include <thread>

namespace questlog::control {

/// Answers at DIR/control.sock, on a thread of its own, one client after the other. Of several servers on one folder
/// the one that holds DIR/control.lock answers; another one takes over when that one ends. While a disk is full it
/// tries again; where a folder can have no socket it goes without. The operator is warned, and all else goes on: so
/// making a Server never fails.
class Server {
public:
    /// When it returns, the socket can be connected to, unless another server has it. The signals that the process
    /// handles are blocked already.
    Server(io::Env env, std::string data_directory, ServerFacts facts);
    /// The command that is under way is finished and answered; clients that wait are told that the server is stopping.
    /// Then the socket is gone.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Any thread. From here on commands are refused, and pings say so.
    void request_stop() { administration_.stop(); }

private:
    enum class Standing : unsigned char { waiting, listening, without }; ///< For the lock; at the socket; for good.

    void claim();
    void run();
    void serve(const io::Descriptor& client);
    void dismiss_waiting();

    io::Env env_;
    std::string directory_;
    Administration administration_;
    io::Descriptor end_; ///< An eventfd: readable once the thread must end.
    std::unique_ptr<io::Lock> lock_;
    io::Descriptor listening_;
    Standing standing_ = Standing::waiting;
    bool told_ = false; ///< The operator, why it is not listening.
    std::thread thread_;
};

} // namespace questlog::control
