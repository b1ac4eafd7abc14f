#include "collect/committer.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace questlog::collect {
namespace {

constexpr std::size_t own_thread_bytes_min = 256 * 1024;

} // namespace

/// The thread. It sleeps until it is handed a job; the job's end goes back by the action that it was made with.
class Committer::Worker {
public:
    using Run = std::function<void(Job)>;

    explicit Worker(Run run) : run_(std::move(run)), thread_([this] { serve(); }) {}
    ~Worker() {
        start({});
        thread_.join();
    }
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    void start(Job job) {
        {
            const std::lock_guard lock(mutex_);
            job_ = job;
        }
        handed_.notify_one();
    }

private:
    void serve() {
        for (;;) {
            std::unique_lock lock(mutex_);
            handed_.wait(lock, [this] { return job_.has_value(); });
            const Job job = *std::exchange(job_, std::nullopt);
            lock.unlock();
            if (job.empty()) return; // the end
            run_(job);
        }
    }

    Run run_;
    std::mutex mutex_;
    std::condition_variable handed_;
    std::optional<Job> job_; ///< Handed over and not yet taken.
    std::thread thread_;     ///< Last: it uses the others.
};

Committer::Committer(io::Clock& clock, CommitOn where, std::chrono::nanoseconds inline_time_max, http::Server& server,
                     Done done)
    : clock_(clock), where_(where), inline_time_max_(inline_time_max), server_(server), done_(std::move(done)),
      own_thread_(where == CommitOn::own_thread), self_(std::make_shared<Committer*>(this)) {}

Committer::~Committer() = default;

void Committer::submit(std::span<const PartitionAppend> appends) {
    const Job job = appends;
    if (!goes_to_own_thread(job)) return run_on_io_thread(job);
    if (!worker_) {
        worker_ = std::make_unique<Worker>([this, self = std::weak_ptr(self_)](Job handed) {
            server_.post([finished = run(clock_, handed), self] {
                if (const auto committer = self.lock()) (*committer)->finish(finished);
            });
        });
    }
    worker_->start(job);
}

/// Both capture a pointer, so that neither takes memory.
void Committer::run_on_io_thread(Job job) {
    job_ = job;
    server_.run_blocking([this] { finished_ = run(clock_, job_); }, [this] { finish(finished_); });
}

/// All or nothing: where one partition takes no append, those before it give theirs back.
Status Committer::append_all(Job job) {
    for (std::size_t i = 0; i < job.size(); ++i) {
        const Status appended = job[i].partition->append(job[i].batch->seal());
        if (appended.ok()) continue;
        for (const PartitionAppend& before : job.first(i)) CHECK_OK(before.partition->take_back());
        return appended;
    }
    return {};
}

Committer::Finished Committer::run(io::Clock& clock, Job job) {
    Finished finished;
    const auto began = clock.monotonic();
    if (const Status appended = append_all(job); !appended.ok()) {
        finished.outcome.append_error = appended.error();
        return finished;
    }
    const auto appended_at = clock.monotonic();
    for (const PartitionAppend& append : job) {
        const Status synced = append.partition->sync();
        if (!synced.ok()) finished.outcome.sync_error = synced.error();
    }
    const auto ended = clock.monotonic();
    finished.outcome.sync_time = ended - appended_at;
    finished.time = ended - began;
    return finished;
}

void Committer::finish(const Finished& finished) {
    if (!finished.outcome.append_error) choose_thread(finished.time);
    done_(finished.outcome);
}

/// A large commit's CRC, copy and sync are worth the reading of several requests.
bool Committer::goes_to_own_thread(Job job) const {
    if (own_thread_ || where_ != CommitOn::whichever_is_better) return own_thread_;
    std::size_t bytes = 0;
    for (const PartitionAppend& append : job) bytes += append.batch->bytes();
    return bytes >= own_thread_bytes_min;
}

/// One slow commit moves the average by an eighth of itself; coming back takes half the time that going away took, so
/// that commits about the limit do not change threads each time.
void Committer::choose_thread(std::chrono::nanoseconds last) {
    average_ += (last - average_) / 8;
    if (where_ != CommitOn::whichever_is_better) return;
    if (average_ > inline_time_max_) own_thread_ = true;
    if (average_ < inline_time_max_ / 2) own_thread_ = false;
}

} // namespace questlog::collect
