#include "app/pipeline.h"

#include "app/seen_ids.h"
#include "base/operator_log.h"

#include <fmt/format.h>
#include <unistd.h>

namespace questlog::app {
namespace {

Result<log::Topic> find_or_create_topic(log::Topics& topics, const Config& config) {
    TRY(exists, topics.exists(config.topic));
    if (exists) return topics.find(config.topic);
    log::TopicOptions options;
    options.partitions = config.partitions;
    if (config.segment_bytes != limits::segment_bytes_default)
        options.configs.emplace_back("segment.bytes", fmt::format("{}", config.segment_bytes));
    return topics.create(config.topic, options);
}

std::string url_of(const std::string& host, std::uint16_t port) {
    return host.find(':') == std::string::npos ? fmt::format("http://{}:{}", host, port)
                                               : fmt::format("http://[{}]:{}", host, port);
}

} // namespace

std::string durability_waiver(const Config& config) {
    switch (config.sync) {
    case log::Sync::always: return {};
    case log::Sync::interval:
        return fmt::format("sync = \"interval\": a power cut takes what was acknowledged in the last {} ms or more",
                           config.sync_interval.count());
    case log::Sync::never: return "sync = \"never\": a power cut takes what was acknowledged since the segment began";
    }
    return {};
}

Result<std::unique_ptr<Pipeline>> Pipeline::open(const Context& context, const http::ListenAddress& address) {
    std::unique_ptr<Pipeline> pipeline(new Pipeline);

    http::ServerOptions server_options;
    server_options.host = address.host;
    server_options.port = address.port;
    server_options.clock = &context.env.clock;
    context.config.limits.apply(server_options);
    TRY(server, http::Server::listen(server_options));
    pipeline->server_ = std::move(server);
    pipeline->url_ = url_of(address.host, pipeline->server_->port());

    TRY(catalogue, event::Catalogue::make(context.config.events, context.config.limits.event));
    pipeline->catalogue_ = std::make_unique<event::Catalogue>(std::move(catalogue));

    log::Topics topics(context.env, context.log_directory());
    TRY(topic, find_or_create_topic(topics, context.config));
    log::WriterOptions writer_options;
    writer_options.on_recovery = [](const std::string& what) { log_warn("recovery: {}", what); };
    writer_options.compression = context.config.compression;
    writer_options.segment_ms = context.config.segment_ms;
    writer_options.sync = context.config.sync;
    writer_options.sync_interval = context.config.sync_interval;
    if (const auto waived = durability_waiver(context.config); !waived.empty()) log_warn("{}", waived);
    TRY(log, log::open_writer(context.env, topics, topic, writer_options));
    pipeline->log_ = std::move(log);

    TRY(seen, seen_ids(context, topics, *pipeline->log_));
    collect::CollectorOptions collector_options;
    context.config.limits.apply(collector_options);
    if (context.config.kafka.enabled()) {
        TRY(forwarding, ForwardingStage::open(context, *pipeline->log_, pipeline->metrics_));
        pipeline->forwarding_ = std::move(forwarding);
        collector_options.grown = [made = pipeline->forwarding_.get()] { made->wake(); };
        collector_options.refusal = [made = pipeline->forwarding_.get()] { return made->refusal(); };
        collector_options.standing = [made = pipeline->forwarding_.get()] { return made->standing(); };
        collector_options.wait_for_forwarding = context.config.kafka.ack == Ack::kafka;
    }
    if (context.config.landing) collector_options.ask_for_landing = [made = pipeline.get()] { made->landing_->ask(); };
    collector_options.intake_headers = context.config.intake_headers;
    collector_options.intake_store_headers = context.config.intake_store_headers;
    if (context.config.access_log) {
        pipeline->access_log_ = std::make_unique<LineOutput>(fileno(context.err));
        collector_options.access_log = [log = pipeline->access_log_.get()](std::string_view lines) {
            log->write(lines);
        };
    }
    pipeline->collector_ =
        std::make_unique<collect::Collector>(context.env, *pipeline->catalogue_, *pipeline->log_, *pipeline->server_,
                                             pipeline->metrics_, std::move(collector_options), std::move(seen));

    if (pipeline->forwarding_ != nullptr) {
        if (context.config.kafka.ack == Ack::kafka)
            pipeline->forwarding_->on_forwarded = [made = pipeline.get()](const std::vector<Offset>& ends) {
                made->server_->post([made, ends] { made->collector_->forwarded(ends); });
            };
        pipeline->forwarding_->begin();
    }
    if (context.config.landing) {
        pipeline->landing_ = std::make_unique<LandingStage>(context, *pipeline->log_, pipeline->metrics_);
        pipeline->landing_->on_landed = [made = pipeline.get()](const std::vector<Offset>& ends) {
            made->server_->post([made, ends] { made->collector_->landed(ends); });
        };
        pipeline->landing_->begin();
    }
    std::function<std::vector<Offset>()> forwarded;
    if (pipeline->forwarding_ != nullptr)
        forwarded = [made = pipeline->forwarding_.get()] { return made->forwarded(); };
    pipeline->retention_ =
        std::make_unique<RetentionStage>(context, *pipeline->log_, pipeline->metrics_, std::move(forwarded));

    pipeline->control_ =
        std::make_unique<control::Server>(context.env, context.data,
                                          control::ServerFacts{::getpid(), pipeline->url_, pipeline->topic().name,
                                                               QUESTLOG_VERSION, context.env.clock.wall_ms()});
    return pipeline;
}

std::int64_t Pipeline::events() const {
    std::int64_t total = 0;
    for (Partition partition{0}; partition.value < log_->topic().partitions; ++partition.value)
        total += log_->partition(partition).next_offset().value;
    return total;
}

Status Pipeline::run() {
    CHECK_OK(server_->run(*collector_));
    if (forwarding_) forwarding_->stop();
    if (landing_) landing_->stop();
    retention_->stop(); // it may trim only while the log's lock is held
    collector_.reset(); // its committer has nothing left to do once run() has returned
    return log_->close();
}

} // namespace questlog::app
