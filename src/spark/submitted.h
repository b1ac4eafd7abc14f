#pragma once

#include "base/result.h"
#include "io/env.h"

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace questlog::spark {

/// A program that runs as the leader of a process group of its own, with its output in a file. It is asked to end when
/// this process does, however that ends, and the whole group is ended with this object. Made and ended on one thread.
class Submitted {
public:
    /// What `program` prints goes over the contents of `log`. `reject` where it cannot be started.
    static Result<Submitted> start(io::Clock& clock, const std::string& program,
                                   const std::vector<std::string>& arguments, const std::string& log);
    ~Submitted();
    Submitted(Submitted&& other) noexcept;
    Submitted(const Submitted&) = delete;
    Submitted& operator=(const Submitted&) = delete;
    Submitted& operator=(Submitted&&) = delete;

    /// How it ended, for a person: "exit code 1"; nullopt: it runs.
    std::optional<std::string> ended();
    /// Waits for it for so long. False: it still runs.
    bool await_end(std::chrono::milliseconds patience);
    /// Asks the group to end, and after the patience ends it.
    void stop();

private:
    Submitted(io::Clock& clock, pid_t pid) : clock_(&clock), pid_(pid) {}

    io::Clock* clock_;
    pid_t pid_ = -1; ///< And its group's. -1: moved from.
    std::optional<std::string> ended_;
};

} // namespace questlog::spark
