#include "app/spark_section.h"

#include <array>
#include <fmt/format.h>

namespace questlog::app {
namespace {

/// What the program in Spark, or how it is started, decides. The rest of its settings it fixes itself.
constexpr std::array decided{"spark.master", "spark.submit.deployMode", "spark.app.name", "spark.jars.packages",
                             "spark.jars"};

Result<spark::Settings::Properties> properties_of(const std::optional<TomlTable>& table) {
    spark::Settings::Properties properties;
    if (!table) return properties;
    TRY(scalars, table->scalars());
    for (auto& [name, text, at] : scalars) properties.emplace_back(std::move(name), std::move(text));
    return properties;
}

} // namespace

Result<spark::Settings> parse_spark(TomlTable& table) {
    TRY(master, table.string("master"));
    TRY(submit, table.string("submit"));
    TRY(packages, table.strings("packages"));
    TRY(jars, table.strings("jars"));
    TRY(conf, table.table("conf"));
    TRY(kafka, table.table("kafka"));
    CHECK_OK(table.finish());

    spark::Settings settings;
    if (master && master->empty())
        return table.wrong("master", "master is empty; write a master of Spark, as \"local[*]\" or \"yarn\"");
    if (submit && submit->empty())
        return table.wrong("submit", "submit is empty; write the path of spark-submit, or its name on PATH");
    if (master) settings.master = *master;
    if (submit) settings.submit = *submit;
    settings.packages = std::move(packages);
    settings.jars = std::move(jars);
    TRY(spark_properties, properties_of(conf));
    for (const auto& [name, value] : spark_properties)
        for (const std::string_view other : decided)
            if (name == other)
                return table.wrong("conf",
                                   fmt::format("{} is not set in conf: master, packages and jars of [spark] are "
                                               "for that, and questlog reads the job's end as a client",
                                               name));
    settings.conf = std::move(spark_properties);
    TRY(kafka_properties, properties_of(kafka));
    settings.kafka = std::move(kafka_properties);
    return settings;
}

} // namespace questlog::app
