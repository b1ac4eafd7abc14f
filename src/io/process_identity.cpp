#include "io/process_identity.h"

#include "io/system_error.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <fmt/format.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace questlog::io {
namespace {

std::string first_line(const std::string& path) {
    std::string line;
    std::getline(std::ifstream(path), line);
    return line;
}

/// Field 22 of /proc/PID/stat; the command before it is in parentheses and may hold anything. 0: there is none.
std::int64_t start_ticks(std::int64_t pid) {
    const std::string stat = first_line(fmt::format("/proc/{}/stat", pid));
    std::size_t at = stat.rfind(')');
    if (at == std::string::npos) return 0;
    constexpr int fields_between = 20; // the state is field 3
    ++at;
    for (int field = 0; field < fields_between - 1; ++field) {
        at = stat.find(' ', at + 1);
        if (at == std::string::npos) return 0;
    }
    std::int64_t ticks = 0;
    std::from_chars(stat.data() + at + 1, stat.data() + stat.size(), ticks);
    return ticks;
}

std::string this_machine() {
    struct stat pids {};
    const bool known = ::stat("/proc/self/ns/pid", &pids) == 0;
    return fmt::format("{}/{}", first_line("/proc/sys/kernel/random/boot_id"), known ? pids.st_ino : 0);
}

} // namespace

Result<ProcessIdentity> this_process() {
    std::array<char, HOST_NAME_MAX + 1> host{};
    if (::gethostname(host.data(), host.size() - 1) != 0)
        return system_error(errno, "ask for the name of", "this host");
    return ProcessIdentity{host.data(), this_machine(), ::getpid(), start_ticks(::getpid()),
                           first_line("/proc/self/comm")};
}

Life life_of(const ProcessIdentity& process) {
    if (process.machine != this_machine() || process.started == 0) return Life::unknown;
    return start_ticks(process.pid) == process.started ? Life::alive : Life::dead;
}

} // namespace questlog::io
