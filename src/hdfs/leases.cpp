#include "hdfs/leases.h"

#include "io/lock_error.h"
#include "io/process_identity.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>

namespace questlog::hdfs {
namespace {

constexpr int epoch_digits = 12;
constexpr std::size_t older_kept_max = 16; ///< Files of past epochs, before they are removed.
constexpr std::chrono::milliseconds first_look{50};
constexpr std::chrono::milliseconds longest_look{1'000};

// Times of modification that say something.
constexpr TimestampMs freed{0};     ///< Nobody holds it.
constexpr TimestampMs withdrawn{1}; ///< It was never taken: the one before it counts.

/// What a lease file says: lines of name=value, for people, too.
std::string lease_text(const io::ProcessIdentity& process, io::Entropy& entropy) {
    std::array<std::byte, 8> random{};
    entropy.fill(random);
    std::string token;
    for (const std::byte byte : random)
        fmt::format_to(std::back_inserter(token), "{:02x}", std::to_integer<unsigned>(byte));
    return fmt::format("host={}\npid={}\ncommand={}\nmachine={}\nstarted={}\ntoken={}\n", process.host, process.pid,
                       process.command, process.machine, process.started, token);
}

std::string value_of(std::string_view text, std::string_view name) {
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view line = text.substr(at, text.find('\n', at) - at);
        if (line.starts_with(name) && line.substr(name.size()).starts_with('='))
            return std::string(line.substr(name.size() + 1));
        at += line.size() + 1;
    }
    return {};
}

std::int64_t number_of(std::string_view text, std::string_view name) {
    const std::string value = value_of(text, name);
    std::int64_t number = 0;
    std::from_chars(value.data(), value.data() + value.size(), number);
    return number;
}

io::ProcessIdentity process_of(std::string_view text) {
    return {value_of(text, "host"), value_of(text, "machine"), number_of(text, "pid"), number_of(text, "started"),
            value_of(text, "command")};
}

std::string epoch_name(const std::string& name, std::int64_t epoch) {
    return fmt::format("{}.{:0{}}", name, epoch, epoch_digits);
}

} // namespace

std::string Leases::Held::path() const {
    return folder + "/" + epoch_name(name, epoch);
}

class HeldLease final : public io::Lock {
public:
    HeldLease(Leases& leases, std::list<Leases::Held>::iterator held) : leases_(leases), held_(held) {}
    ~HeldLease() override { leases_.release(held_); }
    HeldLease(const HeldLease&) = delete;
    HeldLease& operator=(const HeldLease&) = delete;

private:
    Leases& leases_;
    std::list<Leases::Held>::iterator held_;
};

Leases::Leases(io::Env local, WebHdfsClient& client, LeaseOptions options)
    : local_(local), client_(client), options_(options) {}

Leases::~Leases() {
    renewing_.with([](auto& thread) { thread.reset(); });
}

/// The lease that counts is the one with the greatest number, of those below `below`.
Result<Leases::Found> Leases::find(const std::string& folder, const std::string& name, std::int64_t below) {
    TRY(listed, client_.list(folder));
    if (!listed) CHECK_OK(client_.make_directories(folder));
    Found found;
    const std::string prefix = name + ".";
    for (FileStatus& status : listed.value_or(std::vector<FileStatus>())) {
        if (!status.name.starts_with(prefix) || status.name.size() != prefix.size() + epoch_digits) continue;
        std::int64_t epoch = 0;
        const char* digits = status.name.data() + prefix.size();
        if (std::from_chars(digits, digits + epoch_digits, epoch).ptr != digits + epoch_digits) continue;
        found.last = std::max(found.last, epoch);
        if (epoch >= below) continue;
        if (epoch > found.epoch && status.modified != withdrawn) {
            if (found.epoch > 0) found.older.push_back(std::move(found.status.name));
            found.epoch = epoch;
            found.status = std::move(status);
        } else {
            found.older.push_back(std::move(status.name));
        }
    }
    return found;
}

/// How a person calls the holder; nullopt: nobody holds it any more.
Result<std::optional<std::string>> Leases::holder_of(const std::string& folder, const std::string& name,
                                                     const Found& found) {
    if (found.epoch == 0 || found.status.modified == freed) return std::optional<std::string>{};
    if (client_.now().minus(found.status.modified) > options_.stale.count()) return std::optional<std::string>{};
    TRY(text, client_.read_text(folder + "/" + epoch_name(name, found.epoch)));
    const io::ProcessIdentity process = process_of(text.value_or(std::string()));
    if (io::life_of(process) == io::Life::dead) return std::optional<std::string>{};
    return std::optional(process.pid == 0
                             ? "another process"
                             : fmt::format("process {} ({}) on {}", process.pid, process.command, process.host));
}

Result<std::unique_ptr<io::Lock>> Leases::acquire(const std::string& path, int slot, std::chrono::milliseconds wait) {
    const std::size_t slash = path.rfind('/');
    Held held{path.substr(0, slash), fmt::format("{}.{}", path.substr(slash + 1), slot)};
    const auto deadline = local_.clock.monotonic() + wait;
    auto pause = first_look;
    TRY(self, io::this_process());
    const std::string text = lease_text(self, local_.entropy);
    while (true) {
        TRY(found, find(held.folder, held.name));
        TRY(holder, holder_of(held.folder, held.name, found));
        if (!holder) {
            held.epoch = found.last + 1;
            held.renewed = local_.clock.monotonic();
            const auto made = client_.create(held.path(), Body::of(text));
            if (!made.ok()) {
                forget_unfinished(held.path());
                return made.error();
            }
            if (!made->file) continue; // someone else was first
            TRY(was_first, was_first_to_take(held, found));
            if (!was_first) {
                CHECK_OK(client_.set_modified(held.path(), withdrawn));
                holder = "another process, which took or renewed it at the same time";
            }
            if (!holder) {
                if (found.older.size() > older_kept_max)
                    for (const std::string& older : found.older)
                        static_cast<void>(client_.remove(held.folder + "/" + older)); // the next one tries again
                return hold(std::move(held));
            }
        }
        if (local_.clock.monotonic() >= deadline)
            return io::held_by_another(
                retry_later("{} is locked by {}; stop that process or wait for it", path, *holder));
        local_.clock.sleep(pause);
        pause = std::min(pause * 2, longest_look);
    }
}

/// A look after the lease was made, at what may have happened since the look before. Someone else may have made a
/// greater one, and who seemed to be gone may have renewed his: he lists the folder after that, so that one of us sees
/// the other.
Result<bool> Leases::was_first_to_take(const Held& held, const Found& before) {
    TRY(now, find(held.folder, held.name, held.epoch));
    const bool is_as_before =
        now.epoch == before.epoch && (before.status.modified == freed || now.status.modified == before.status.modified);
    return now.last == held.epoch && is_as_before;
}

/// An empty one that HDFS had no room to finish would look held for a minute.
void Leases::forget_unfinished(const std::string& path) {
    const auto left = client_.status(path);
    if (left.ok() && *left && (*left)->length == 0) static_cast<void>(client_.remove(path));
}

Result<bool> Leases::is_held(const std::string& path, int slot) {
    const std::size_t slash = path.rfind('/');
    const std::string folder = path.substr(0, slash);
    const std::string name = fmt::format("{}.{}", path.substr(slash + 1), slot);
    TRY(found, find(folder, name));
    TRY(holder, holder_of(folder, name, found));
    return holder.has_value();
}

Result<std::unique_ptr<io::Lock>> Leases::hold(Held held) {
    renewing_.with([this](auto& thread) {
        if (!thread)
            thread.emplace(options_.renewal, RepeatedAction::First::after_the_interval, [this] {
                renew_all();
                return true;
            });
    });
    return held_.with([&](std::list<Held>& all) -> std::unique_ptr<io::Lock> {
        all.push_back(std::move(held));
        return std::make_unique<HeldLease>(*this, std::prev(all.end()));
    });
}

/// Where that fails, it becomes stale.
void Leases::release(std::list<Held>::iterator held) {
    const Held was = held_.with([&](std::list<Held>& all) {
        Held copy = std::move(*held);
        all.erase(held);
        return copy;
    });
    if (!was.is_lost) static_cast<void>(client_.set_modified(was.path(), freed));
}

void Leases::renew_all() {
    const std::list<Held> all = held_.with([](const std::list<Held>& held) { return held; });
    for (const Held& lease : all) {
        const auto began = local_.clock.monotonic();
        const auto renewed = client_.set_modified(lease.path(), client_.now());
        if (!renewed.ok()) continue; // tried again, and after a while no longer trusted
        const auto found = find(lease.folder, lease.name);
        if (*renewed && !found.ok()) continue;
        const bool is_lost = !*renewed || found->epoch != lease.epoch;
        bool is_held = false;
        held_.with([&](std::list<Held>& held) {
            for (Held& one : held) {
                if (one.path() != lease.path()) continue;
                is_held = true;
                one.is_lost = is_lost;
                one.renewed = began;
            }
        });
        // It was released while it was renewed: nobody is to wait for it.
        if (!is_held) static_cast<void>(client_.set_modified(lease.path(), freed));
    }
}

Status Leases::check() {
    const auto now = local_.clock.monotonic();
    return held_.with([&](const std::list<Held>& held) -> Status {
        for (const Held& lease : held) {
            if (lease.is_lost)
                return retry_later(
                    "another process has taken the lock {} while this one seemed to be gone: nothing more "
                    "is written; run this again",
                    lease.path());
            if (now - lease.renewed > options_.trusted)
                return retry_later("the lock {} could not be renewed for {} s, so that another process may have it: "
                                   "nothing more is written; run this again",
                                   lease.path(),
                                   std::chrono::duration_cast<std::chrono::seconds>(now - lease.renewed).count());
        }
        return {};
    });
}

} // namespace questlog::hdfs
