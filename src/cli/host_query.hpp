// What `hawser addr`, `route`, `neigh` and `ss` share: which hosts are asked, and their answers.
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace hawser::cli {

using Json = nlohmann::ordered_json;

struct QueryOptions {
  std::string host;  ///< empty: all of them, or the only one
  bool json = false;
  bool no_header = false;
};

/// Adds --host, --json and -H.
void add_query_options(CLI::App& command, QueryOptions& options);

struct HostAnswer {
  std::string host;
  std::vector<Json> items;
};

/// Asks the host of that name, or else the only one that there is. Ends the command with one line
/// when there is none, when there are several, or when it does not answer.
HostAnswer ask_one(const QueryOptions& options, std::string_view question);
/// Asks the host of that name, or else all of them, none included.
std::vector<HostAnswer> ask_all(const QueryOptions& options, std::string_view question);

/// Gives a request to the running link of that name, or else to the only one; ends the command
/// likewise.
HostAnswer ask_link(const std::string& name, const Json& request);

/// A field of an item as text: "-" is left to the table when it is null or not there.
std::string text_of(const Json& item, std::string_view field);
/// Seconds as people read them: "23h59m", "for ever" when it is null.
std::string lifetime_of(const Json& item, std::string_view field);
/// The items as one JSON array on standard output, each with the name of its host, or link.
void print_json(const std::vector<HostAnswer>& answers, std::string_view kind = "host");

}  // namespace hawser::cli
