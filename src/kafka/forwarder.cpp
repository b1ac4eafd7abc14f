#include "kafka/forwarder.h"

#include "base/operator_log.h"
#include "kafka/forwarding.h"

#include <utility>

namespace questlog::kafka {
namespace {

CheckpointFile checkpoint_file(const ForwarderOptions& options, io::Env env) {
    return {env, options.directory, options.topic};
}

ForwardedTopic topic_of(const ForwarderOptions& options, io::Env env, const log::Topic& log) {
    return {options.topic, options.partitions, log.id, log.partitions, checkpoint_file(options, env).path()};
}

} // namespace

Forwarder::Forwarder(ForwarderOptions options, io::Env env, log::LogReader& log)
    : options_(std::move(options)), env_(env), log_(log), topic_(topic_of(options_, env, log.topic())),
      board_(options_.topic, options_.cluster.bootstrap, static_cast<std::size_t>(topic_.log_partitions)),
      experience_{{options_.tuning.limits.batch_bytes_max, options_.tuning.request_regrow}},
      saved_(Saved{checkpoint_file(options_, env)}) {}

Forwarder::~Forwarder() {
    stop();
}

void Forwarder::begin() {
    take_up_checkpoint();
    saving_ = std::make_unique<RepeatedAction>(options_.checkpoint_interval, RepeatedAction::First::after_the_interval,
                                               [this] {
                                                   save_checkpoint();
                                                   return true;
                                               });
    thread_ = std::thread([this] { run(); });
}

void Forwarder::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    stopped_.notify_all();
    woken_ = false;
    wake();
    if (!thread_.joinable()) return;
    thread_.join();
    saving_.reset();
    save_checkpoint();
}

void Forwarder::wake() {
    if (woken_.exchange(true)) return; // it will look anyway
    producer_.with([](RecordProducer* producer) {
        if (producer != nullptr) producer->yield();
    });
}

ForwarderStatus Forwarder::status() const {
    ForwarderStatus status{state(), board_.text(), board_.last_error(), acknowledged(), {}};
    for (std::size_t i = 0; i < status.ends.size(); ++i) {
        const auto end = log_.partition(Partition{static_cast<std::int32_t>(i)}).end_offset();
        status.lags.push_back(end.ok() ? std::max<std::int64_t>(0, end->minus(status.ends[i])) : 0);
    }
    return status;
}

void Forwarder::run() {
    while (!stopping_) {
        const Status ended = go();
        if (stopping_) return;
        if (ended.ok()) {
            if (experience_.tries > 1) pause(options_.retry);
            continue;
        }
        const bool passes = ended.error().kind == ErrorKind::retry_later;
        board_.change(passes ? ForwarderState::unreachable : ForwarderState::refused, ended.error().message);
        pause(passes ? options_.retry : options_.refused_retry);
    }
}

Status Forwarder::go() {
    if (!consumer_) {
        TRY(made, Client::make(RD_KAFKA_CONSUMER, options_.cluster,
                               {{"isolation.level", "read_uncommitted"}, // another's transaction holds nothing back
                                {"auto.offset.reset", "error"},
                                {"enable.partition.eof", "true"},
                                {"allow.auto.create.topics", "false"},
                                {"fetch.wait.max.ms", "10"}, // a request at one partition's end holds up the next one's
                                {"queued.max.messages.kbytes", "16384"}}));
        consumer_ = std::move(made);
    }
    TRY(checkpoint, read_checkpoint());
    Forwarding forwarding({options_.tuning, env_.clock, log_, topic_, *consumer_, board_, experience_, woken_,
                           [this] { return stopping_.load(); },
                           [this](const std::vector<Offset>& ends) {
                               if (on_acknowledged) on_acknowledged(ends);
                           }});
    CHECK_OK(forwarding.start(options_.cluster, checkpoint));
    producer_.with([&](RecordProducer*& producer) { producer = &forwarding.producer(); });
    const Status ended = forwarding.run();
    producer_.with([&](RecordProducer*& producer) { producer = nullptr; });
    return ended;
}

/// What of the file is about this log.
Result<std::optional<Checkpoint>> Forwarder::read_checkpoint() {
    save_checkpoint();
    auto read = saved_.with([&](Saved& saved) { return saved.file.read(topic_.log_partitions); });
    if (!read.ok() || !*read) return read;
    if ((*read)->log_id != topic_.log_id) return std::optional<Checkpoint>();
    return read;
}

/// Until the topic is heard of, what had arrived before counts as arrived.
void Forwarder::take_up_checkpoint() {
    const auto read = read_checkpoint();
    if (!read.ok() || !*read) return; // what is wrong with it is told when it is needed
    saved_.with([&](Saved& saved) { saved.checkpoint = **read; });
    board_.arrived({(*read)->ends(), (*read)->last});
}

void Forwarder::save_checkpoint() {
    const Checkpoint now{topic_.log_id, board_.arrivals().last};
    saved_.with([&](Saved& saved) {
        if (saved.checkpoint.last == now.last || now.last == std::vector<std::optional<Arrived>>(now.last.size()))
            return;
        const Status done = saved.file.write(now);
        if (!done.ok() && !saved.failed) // nothing is lost: the next start reads more of the topic
            log_warn("how far topic {} is forwarded cannot be noted: {}", topic_.name, done.error().message);
        saved.failed = !done.ok();
        if (done.ok()) saved.checkpoint = now;
    });
}

void Forwarder::pause(std::chrono::milliseconds wait) {
    std::unique_lock lock(mutex_);
    stopped_.wait_for(lock, wait, [this] { return stopping_.load(); });
}

} // namespace questlog::kafka
