#include "spark/spark_engine.h"

#include "control/unix_socket.h"
#include "io/whole_file.h"
#include "spark/conversation.h"
#include "spark/program.h"
#include "spark/submitted.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>

namespace questlog::spark {
namespace {

constexpr std::chrono::milliseconds end_patience{60'000};
constexpr std::size_t log_bytes_shown = 600;

/// A job's name as a file's.
std::string file_name_of(const std::string& job) {
    std::string name = job;
    std::replace_if(
        name.begin(), name.end(),
        [](unsigned char c) { return !(std::isalnum(c) != 0 || c == '_' || c == '-') || c >= 0x80; }, '_');
    return name;
}

class SparkEngine final : public batch::Engine {
public:
    SparkEngine(io::Env env, EngineOptions options) : env_(env), options_(std::move(options)) {}
    ~SparkEngine() override { close(); }
    SparkEngine(const SparkEngine&) = delete;
    SparkEngine& operator=(const SparkEngine&) = delete;

    Result<scan::RangeCensus> look(const Order& order, const OnTasks& on_tasks) override {
        TRY(kafka, kafka_options(options_.source, options_.settings.kafka));
        CHECK_OK(start(order.job));
        TRY(answer, ask(order_line(order, kafka), "census", on_tasks));
        return census_of(answer);
    }

    Result<Written> write(const Table& table, const std::string& folder, const OnTasks& on_tasks) override {
        TRY(answer, ask(write_line(table, uri_of(folder)), "written", on_tasks));
        return written_of(answer);
    }

    Result<std::string> first_rows(const Table& table, std::int64_t rows, const OnTasks& on_tasks) override {
        TRY(answer, ask(take_line(table, rows), "rows", on_tasks));
        return select_of(answer, table.relation);
    }

    [[nodiscard]] bool is_over() const override { return is_over_; }

    Status end() override {
        if (!conversation_ || is_over_) return {};
        CHECK_OK(conversation_->say(R"({"do": "end"})"));
        program_->await_end(end_patience);
        close();
        return {};
    }

private:
    Status start(const std::string& job) {
        CHECK_OK(env_.files.make_directories(options_.folder));
        log_ = fmt::format("{}/{}.log", options_.folder, file_name_of(job));
        TRY(scratch, env_.files.scratch_directory(options_.folder));
        scratch_ = std::filesystem::absolute(scratch).string();
        CHECK_OK(place(job_file, job_program()));
        CHECK_OK(place(events_file, events_module()));
        TRY(listening, control::listen_in(env_.files, scratch_));
        auto started = Submitted::start(
            env_.clock, options_.settings.submit,
            submit_arguments(options_.settings, job, scratch_, fmt::format("{}/{}", scratch_, control::socket_name)),
            log_);
        if (!started.ok() && started.error().system_errno != 0)
            return reject("{}. --engine spark needs Spark 3.5: put its spark-submit on PATH (`pip install "
                          "pyspark==3.5.7` brings one, and Java 8, 11 or 17 is needed), or name it with submit = "
                          "\"…/bin/spark-submit\" in [spark]",
                          started.error().message);
        if (!started.ok()) return started.error();
        program_.emplace(std::move(*started));
        conversation_.emplace(std::move(listening), *program_, options_.stopped);
        return {};
    }

    Status place(std::string_view name, std::string_view text) {
        TRY(file, env_.files.open(fmt::format("{}/{}", scratch_, name), io::Open::create));
        return file->write_at(0, std::as_bytes(std::span(text)));
    }

    /// Says the line and waits for the answer to it.
    Result<event::JsonNode> ask(const std::string& line, std::string_view wanted, const OnTasks& on_tasks) {
        if (!conversation_ || is_over_) return internal("Spark has ended");
        if (const auto said = conversation_->say(line); !said.ok()) return over(said.error());
        while (true) {
            auto message = conversation_->next();
            if (!message.ok()) return over(message.error());
            const std::string what = message->string_of("say");
            if (what == "progress") {
                if (on_tasks) on_tasks(message->integer_of("done"), message->integer_of("total"));
                continue;
            }
            if (what == wanted) return std::move(*message);
            if (what == "failed") return failure(message->string_of("why"));
            if (what == "ended") return over(failure(message->string_of("why")));
            return over(internal("the program in Spark said {} and not {}; please report it", what, wanted));
        }
    }

    [[nodiscard]] Error failure(const std::string& why) const {
        return reject("Spark could not: {}; its log is {}", why, log_);
    }

    /// Nothing more comes from it.
    Error over(const Error& error) {
        is_over_ = true;
        program_->stop();
        if (error.kind != ErrorKind::internal) return error;
        return reject("Spark ({}): {}; its log is {}{}", options_.settings.submit, error.message, log_, end_of_log());
    }

    /// The first exception that it tells, or how it ends.
    std::string end_of_log() {
        const auto text = io::read_text_file(env_.files, log_);
        if (!text.ok() || text->empty()) return ", and empty";
        std::string_view part = *text;
        if (const std::size_t exception = part.find("Exception"); exception != std::string_view::npos) {
            const std::size_t line = part.rfind('\n', exception);
            part = part.substr(line == std::string_view::npos ? 0 : line + 1);
            return fmt::format(", which says: {}", part.substr(0, std::min(part.find('\n'), log_bytes_shown)));
        }
        while (part.ends_with('\n')) part.remove_suffix(1);
        if (part.size() > log_bytes_shown) part.remove_prefix(part.size() - log_bytes_shown);
        return fmt::format(", which ends:\n{}", part);
    }

    void close() {
        is_over_ = true;
        conversation_.reset();
        program_.reset();
        if (!scratch_.empty()) static_cast<void>(env_.files.remove_tree(scratch_));
        scratch_.clear();
    }

    io::Env env_;
    EngineOptions options_;
    std::string log_;
    std::string scratch_;
    std::optional<Submitted> program_;
    std::optional<Conversation> conversation_;
    bool is_over_ = false;
};

} // namespace

std::unique_ptr<batch::Engine> make_engine(io::Env env, EngineOptions options) {
    return std::make_unique<SparkEngine>(env, std::move(options));
}

} // namespace questlog::spark
