#include "app/commands.h"
#include "app/descriptors.h"
#include "app/pipeline.h"
#include "base/operator_log.h"

#include <csignal>
#include <filesystem>
#include <fmt/format.h>
#include <pthread.h>
#include <thread>

/// `questlog serve`: the pipeline, run until a signal.
namespace questlog::app {
namespace {

sigset_t handled_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGUSR1); // wakes the signal thread when the process ends without a signal
    return signals;
}

/// Must run before any thread starts, so that every thread inherits the mask and only SignalThread takes the signals.
void block_signals() {
    const sigset_t signals = handled_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

/// Calls `on_signal` for the first SIGINT or SIGTERM, on a thread of its own; a second one has its default effect.
class SignalThread {
public:
    template <class Action> explicit SignalThread(Action on_signal) {
        thread_ = std::thread([on_signal] {
            const sigset_t signals = handled_signals();
            int signal = 0;
            sigwait(&signals, &signal);
            if (signal == SIGUSR1) return;
            on_signal(signal);
            sigset_t unblocked = signals;
            sigdelset(&unblocked, SIGUSR1);
            pthread_sigmask(SIG_UNBLOCK, &unblocked, nullptr); // the next one kills
            sigset_t end;
            sigemptyset(&end);
            sigaddset(&end, SIGUSR1);
            sigwait(&end, &signal);
        });
    }
    ~SignalThread() {
        pthread_kill(thread_.native_handle(), SIGUSR1);
        thread_.join();
    }
    SignalThread(const SignalThread&) = delete;
    SignalThread& operator=(const SignalThread&) = delete;

private:
    std::thread thread_;
};

/// Fewer connections than configured where the system lets the process open too few files.
Status keep_within_descriptors(Context& context) {
    Config& config = context.config;
    log::Topics topics(context.env, context.log_directory());
    std::int32_t partitions = config.partitions;
    TRY(exists, topics.exists(config.topic));
    if (exists) {
        TRY(topic, topics.find(config.topic));
        partitions = topic.partitions;
    }
    const std::size_t descriptors = raise_descriptor_limit();
    const std::size_t wanted = config.limits.connections;
    config.limits.connections = connections_within(descriptors, partitions, wanted);
    if (config.limits.connections < wanted)
        log_warn(
            "this process may open {} files, so it takes {} connections at once, and not the {} of [limits]; raise "
            "it by ulimit -Hn, LimitNOFILE of systemd, or the container's nofile",
            descriptors, config.limits.connections, wanted);
    return {};
}

std::string forwarding_line(const KafkaConfig& kafka) {
    if (!kafka.enabled()) return {};
    return fmt::format(" * forwarded to Kafka {}; a 200 means {}\n", kafka.client.bootstrap,
                       kafka.ack == Ack::disk ? "on disk here" : "there, and on disk here");
}

} // namespace

Status run(const Context& given, const ServeArguments& arguments) {
    Context context = given;
    if (arguments.listen) context.config.listen = *arguments.listen;
    if (arguments.access_log) context.config.access_log = true;
    TRY(address, http::parse_listen_address(context.config.listen));

    CHECK_OK(keep_within_descriptors(context));
    block_signals();
    TRY(pipeline, Pipeline::open(context, address));
    const SignalThread signals([&](int signal) {
        pipeline->request_stop();
        log_info("{}: no new connections; answering what is in flight",
                 signal == SIGINT ? "interrupted" : "terminated");
    });

    const std::string waived = durability_waiver(context.config);
    CHECK_OK(context.print(fmt::format(" * data folder {}\n"
                                       " * topic {}: {} partition{}, {} event{}\n"
                                       "{}{}"
                                       " * questlog is running on {} (Press CTRL+C to quit)\n",
                                       std::filesystem::absolute(context.data).lexically_normal().string(),
                                       pipeline->topic().name, pipeline->topic().partitions,
                                       pipeline->topic().partitions == 1 ? "" : "s", pipeline->events(),
                                       pipeline->events() == 1 ? "" : "s", forwarding_line(context.config.kafka),
                                       waived.empty() ? "" : " * not durable: " + waived + "\n", pipeline->url())));
    CHECK_OK(context.flush());
    CHECK_OK(pipeline->run());
    log_info("stopped: every accepted event is on disk");
    return {};
}

} // namespace questlog::app
