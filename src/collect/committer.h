#pragma once

#include "base/result.h"
#include "collect/batch_stage.h"
#include "http/server.h"
#include "io/env.h"
#include "log/event_log.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

namespace questlog::collect {

enum class CommitOn : std::uint8_t {
    whichever_is_better, ///< The io thread while commits are short, a thread of its own while they are not.
    io_thread,           ///< Always: a simulated run has one thread.
    own_thread,
};

/// How one commit ended. Without an error all of it is durable.
struct CommitOutcome {
    std::optional<Error> append_error; ///< Nothing of it is in the log; or, where the error says so, nobody can tell.
    std::optional<Error> sync_error;   ///< It may or may not be on disk, and nobody can tell.
    std::chrono::nanoseconds sync_time{};
};

/// Makes one commit at a time durable: every partition's batch sealed and appended, then every partition synced. While
/// commits are short (a moving average) it does so on the io thread, which saves two thread switches and leaves it to
/// the server (Server::run_blocking) that a disk which does not answer holds up nobody; while they are long, and for
/// large ones, on a thread of its own, so that the io thread goes on reading requests for the next one. Which of the
/// two is hidden behind submit() and `done`.
class Committer {
public:
    using Done = std::function<void(const CommitOutcome&)>;

    /// `done` is called on the io thread once for each submit(), possibly from within it.
    Committer(io::Clock& clock, CommitOn where, std::chrono::nanoseconds inline_time_max, http::Server& server,
              Done done);
    /// After the server's run(). Waits for a commit that is in flight; `done` is then called no more.
    ~Committer();
    Committer(const Committer&) = delete;
    Committer& operator=(const Committer&) = delete;

    /// From within Handler::commit(), and not again before `done`. What `appends` names lives until then, untouched.
    void submit(std::span<const PartitionAppend> appends);

private:
    using Job = std::span<const PartitionAppend>; ///< Not empty.
    struct Finished {
        CommitOutcome outcome;
        std::chrono::nanoseconds time{};
    };
    class Worker;

    void run_on_io_thread(Job job);
    [[nodiscard]] static Finished run(io::Clock& clock, Job job);
    [[nodiscard]] static Status append_all(Job job);
    void finish(const Finished& finished);
    void choose_thread(std::chrono::nanoseconds last);
    [[nodiscard]] bool goes_to_own_thread(Job job) const;

    io::Clock& clock_;
    CommitOn where_;
    std::chrono::nanoseconds inline_time_max_;
    http::Server& server_;
    Done done_;
    Job job_;           ///< The last one on the io thread,
    Finished finished_; ///< and how it ended. Both are the call's while Server::run_blocking runs it.
    std::chrono::nanoseconds average_{0};
    bool own_thread_;
    std::shared_ptr<Committer*> self_; ///< Posted ends of commits hold it weakly: they may outlive the committer.
    std::unique_ptr<Worker> worker_;   ///< Started when it is first needed.
};

} // namespace questlog::collect
