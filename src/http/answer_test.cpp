#include "http/answer_queue.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace questlog::http {
namespace {

TEST(Answer, BytesStandInOneOrder) {
    AnswerWriter writer("questlog");
    writer.set_time(TimestampMs{784'111'777'999});
    std::string out;
    const Response full{
        .status = 503, .content_type = "text/plain", .body = "full\n", .extra_headers = "Retry-After: 1\r\n"};
    writer.append(out, full, {.persistence = Persistence::close});
    EXPECT_EQ(out,
              "HTTP/1.1 503 Service Unavailable\r\nServer: questlog\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
              "Content-Type: text/plain\r\nContent-Length: 5\r\nRetry-After: 1\r\nConnection: close\r\n\r\nfull\n");
}

TEST(Answer, HeadHasTheLengthWithoutTheBody) {
    std::string out;
    AnswerWriter("q").append(out, {.body = "hello"}, {.head = true, .persistence = Persistence::keep_alive});
    EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nServer: q\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 5\r\n"
                   "Connection: keep-alive\r\n\r\n");
}

TEST(Answer, NoContentHasNeitherLengthNorType) {
    std::string out;
    AnswerWriter("q").append(out, {.status = 204, .extra_headers = "Allow: GET\r\n"}, {});
    EXPECT_EQ(out, "HTTP/1.1 204 No Content\r\nServer: q\r\nAllow: GET\r\n\r\n");
}

TEST(Answer, DatesAreThoseOfTheRfc) {
    EXPECT_EQ(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
    EXPECT_EQ(http_date(951'782'400), "Tue, 29 Feb 2000 00:00:00 GMT");
    EXPECT_EQ(http_date(1'767'225'599), "Wed, 31 Dec 2025 23:59:59 GMT");
}

/// A queue whose answers are short names, to read what may go out.
class Queue {
public:
    void answer(const std::string& text, CommitNumber commit, const std::string& target = "/", std::uint64_t hold = 0) {
        queue_.bytes().append(text);
        Request request;
        request.method_text = "GET";
        request.target = target;
        queue_.add({.commit = commit, .hold = hold, .status = 200}, request, true);
    }
    void resolve(const std::vector<Resolution>& all) {
        Resolutions by_hold;
        for (const Resolution& one : all) by_hold.emplace(one.hold, &one);
        queue_.resolve(by_hold, writer_);
    }
    void release(CommitNumber done, CommitNumber failed = 0) {
        queue_.release(done, failed, {.status = 503, .body = "failed"}, writer_);
    }
    std::string sendable() { return std::string(queue_.sendable()); }
    void sent(std::size_t bytes) {
        queue_.sent(bytes, true, [this](std::string_view, std::string_view target, int, unsigned status) {
            logged_.push_back(std::string(target) + " " + std::to_string(status));
        });
    }
    AnswerQueue& operator*() { return queue_; }
    std::vector<std::string> logged_;

private:
    AnswerQueue queue_;
    AnswerWriter writer_{"q"};
};

TEST(AnswerQueue, NothingOvertakesAnAnswerThatWaits) {
    Queue queue;
    queue.answer("[now1]", 0);
    queue.answer("[waits1]", 1);
    queue.answer("[now2]", 0);
    queue.answer("[waits2]", 2);
    queue.answer("[now3]", 0);
    queue.release(0);
    EXPECT_EQ(queue.sendable(), "[now1]");
    queue.release(1);
    EXPECT_EQ(queue.sendable(), "[now1][waits1][now2]");
    EXPECT_TRUE((*queue).waits());
    queue.release(2);
    EXPECT_EQ(queue.sendable(), "[now1][waits1][now2][waits2][now3]");
    EXPECT_FALSE((*queue).waits());
}

TEST(AnswerQueue, AFailedCommitReplacesItsAnswersAlone) {
    Queue queue;
    queue.answer("[one]", 1, "/one");
    queue.answer("[now]", 0, "/now");
    queue.answer("[too]", 1, "/too");
    queue.answer("[next]", 2, "/next");
    queue.release(1, 1);
    const std::string out = queue.sendable();
    EXPECT_EQ(out.find("[one]"), std::string::npos);
    EXPECT_EQ(out.find("[too]"), std::string::npos);
    EXPECT_TRUE(out.starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
    EXPECT_LT(out.find("failed[now]HTTP/1.1 503"), out.size());
    EXPECT_TRUE(out.ends_with("failed"));
    queue.release(2);
    EXPECT_TRUE(queue.sendable().ends_with("failed[next]"));
    queue.sent(queue.sendable().size());
    EXPECT_EQ(queue.logged_, (std::vector<std::string>{"/one 503", "/now 200", "/too 503", "/next 200"}));
    EXPECT_EQ((*queue).unsent_bytes(), 0u);
}

TEST(AnswerQueue, AHeldAnswerGoesOutOnceItIsResolvedInItsPlace) {
    Queue queue;
    queue.answer("[now]", 0);
    queue.answer("[held]", 1, "/held", 7);
    queue.answer("[next]", 1);
    queue.answer("[too]", 2, "/too", 8);
    queue.release(1);
    EXPECT_EQ(queue.sendable(), "[now]");
    EXPECT_TRUE((*queue).waits());
    EXPECT_FALSE((*queue).waits_for_commit(1)) << "it is held";
    queue.resolve({{99}, {8}});
    queue.release(1);
    EXPECT_EQ(queue.sendable(), "[now]") << "another one's";
    queue.resolve({{7}});
    queue.release(1);
    EXPECT_EQ(queue.sendable(), "[now][held][next]");
    EXPECT_TRUE((*queue).waits_for_commit(1)) << "what is resolved still waits for its commit";
    queue.release(2);
    EXPECT_EQ(queue.sendable(), "[now][held][next][too]");
}

TEST(AnswerQueue, AHeldAnswerMayBecomeAnother) {
    Queue queue;
    queue.answer("[sent]", 0, "/sent");
    queue.release(0);
    queue.sent(3);
    queue.answer("[one]", 1, "/one", 1);
    queue.answer("[two]", 1, "/two", 2);
    queue.answer("[three]", 0, "/three");
    queue.release(1);
    queue.resolve({{2, 202, "{later}"}});
    queue.release(1);
    EXPECT_EQ(queue.sendable(), "nt]");
    queue.resolve({{1}});
    queue.release(1);
    const std::string out = queue.sendable();
    EXPECT_TRUE(out.starts_with("nt][one]HTTP/1.1 202 Accepted\r\n")) << out;
    EXPECT_TRUE(out.ends_with("{later}[three]")) << out;
    queue.sent(out.size());
    EXPECT_EQ(queue.logged_, (std::vector<std::string>{"/sent 200", "/one 200", "/two 202", "/three 200"}));
}

TEST(AnswerQueue, AHeldAnswerOfAFailedCommitIsHeldNoLonger) {
    Queue queue;
    queue.answer("[held]", 1, "/held", 7);
    queue.answer("[other]", 2, "/other", 8);
    queue.release(1, 1);
    EXPECT_TRUE(queue.sendable().starts_with("HTTP/1.1 503"));
    EXPECT_TRUE(queue.sendable().ends_with("failed"));
    queue.resolve({{7}, {8}});
    queue.release(2);
    EXPECT_TRUE(queue.sendable().ends_with("failed[other]"));
}

TEST(AnswerQueue, PartialSendsLoseAndRepeatNothing) {
    for (std::size_t piece = 1; piece <= 7; ++piece) {
        Queue queue;
        std::string expected;
        std::string got;
        for (int i = 0; i < 5000; ++i) {
            const std::string answer = "<" + std::to_string(i) + ">";
            expected += answer;
            queue.answer(answer, 0, "/" + std::to_string(i));
            queue.release(0);
            const std::string out = queue.sendable().substr(0, piece);
            got += out;
            queue.sent(out.size());
        }
        got += queue.sendable();
        queue.sent(queue.sendable().size());
        EXPECT_EQ(got, expected) << piece;
        ASSERT_EQ(queue.logged_.size(), 5000u) << piece;
        EXPECT_EQ(queue.logged_[4999], "/4999 200");
        EXPECT_TRUE((*queue).empty());
    }
}

TEST(AnswerQueue, LogsAnAnswerOnlyWhenItIsWhollySent) {
    Queue queue;
    queue.answer("abc", 0, "/a");
    queue.answer("def", 0, "/d");
    queue.release(0);
    queue.sent(2);
    EXPECT_TRUE(queue.logged_.empty());
    queue.sent(1);
    EXPECT_EQ(queue.logged_.size(), 1u);
    queue.sent(3);
    EXPECT_EQ(queue.logged_.size(), 2u);
}

} // namespace
} // namespace questlog::http
