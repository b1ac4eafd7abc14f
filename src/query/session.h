#pragma once

#include "base/result.h"
#include "duck/duck.h"
#include "query/world.h"

#include <memory>
#include <string>

namespace questlog::query {

struct SessionOptions {
    bool landed_only =
        false; ///< Tables are their files alone, without the log after them; `events` stays the whole log.
};

/// SQL over `events` and the declared tables. Each statement sees one moment: the landed files first, then the log up
/// to its durable ends, which are read once, after the statement was given. So a statement that begins after a 200 sees
/// the event, and `events` and all tables of one statement agree. Only what the SQL names is planned. One thread.
///
/// A table is its landed rows, in their order, then the log's rows after them; never landed, it is the whole log by its
/// declaration, and so it is where its files follow another declaration or another log (World::notice says so).
class Session {
public:
    Session(const World& world, SessionOptions options);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// Runs one statement that only reads; anything else is `reject`.
    Result<std::unique_ptr<duck::Rows>> query(const std::string& sql);
    /// The same with every cell as DuckDB casts it to VARCHAR; columns() tells the real types.
    Result<std::unique_ptr<duck::Rows>> query_as_text(const std::string& sql);
    /// Writes the rows as a Parquet file at `path`, a real path that DuckDB can open.
    Status copy_to_parquet(const std::string& sql, const std::string& path);

private:
    template <class Answer, class Run> Result<Answer> again_where_replaced(const std::string& asked, Run&& run);
    Result<duck::Connection*> prepare(const std::string& sql);
    Result<std::string> meaning_of(const std::string& sql) const;
    [[nodiscard]] Error with_advice(Error error) const;
    /// What DuckDB says of bytes that are no Parquet, as the damage of a table that it is.
    [[nodiscard]] Error as_damage(const Error& error) const;

    const World& world_;
    SessionOptions options_;
    std::unique_ptr<class Views> views_; ///< Of the present statement: what its rows are read from.
};

} // namespace questlog::query
