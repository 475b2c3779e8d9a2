// The settings of all commands with their defaults in sight. Filled by load_config() and the command line,
// then const.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace glimpse {

enum class Command { run, eval, bench, doctor, provision };

struct Settings {
  struct Source {
    std::string uri = "0";
    double fps = 36;
    std::string size;           // empty: what suits the kind of camera
    std::string flip = "none";  // or horizontal, vertical, 180
    bool loop = false;
    bool realtime = false;
    bool adapt = false;
  } source;

  struct Model {
    std::string name;  // empty: mobilenet_v2 where it is installed, else demo
    bool quantized = false;
    int top_k = 10;
    std::string backend = "auto";
    int threads = 0;  // 0: one fewer than there are cores
    bool trust = false;
  } model;

  struct Telemetry {
    std::chrono::milliseconds interval{1000};  // 0: a record for every frame
    std::chrono::milliseconds event_hold{300};
    double event_confidence = 0.5;
    int events_per_hour = 3600;  // 0: no events
    std::string broker;          // empty: records go to the console alone
    std::string ca, cert, key;
    std::string device;  // empty: the host name
    bool insecure = false;
    std::string proxy;  // empty: none, whatever the environment says
    std::chrono::milliseconds keep_alive{60'000};
  } telemetry;

  /// What AWS IoT Core has beyond a broker.
  struct Aws {
    std::string basic_ingest;  // a topic rule; empty: records go through the broker
    bool shadow = false;
    bool jobs = false;
  } aws;

  struct Outbox {
    std::string state;  // the folder; empty: that of the system or the user
    int max_mb = 64;    // millions of bytes
    std::chrono::milliseconds max_age{720 * std::chrono::hours(1)};
    std::chrono::milliseconds sync{1000};  // what a power cut may cost
    std::string drain = "newest";          // or fifo
  } outbox;

  /// The live page.
  struct Web {
    std::string listen;  // empty: none
    bool open = false;   // without a token where others reach it
  } web;

  struct Eval {
    std::string images;  // the folder
    std::string labels;  // the CSV; empty: the folder has a folder for each class
  } eval;

  struct Bench {
    std::string source;  // empty: a still of the test pattern
    int frames = 100;    // for each combination, in each round
    int rounds = 3;
  } bench;

  struct Provision {
    std::string claim_cert, claim_key;
    std::string template_name;
  } provision;

  // Only on the command line: they are about one run.
  int frames = 0;                         // stop after so many; 0: no limit
  std::chrono::milliseconds duration{0};  // stop after so long; 0: no limit
  bool json = false;
};

/// One setting: whose it is, where it stands in the configuration file, its flag, what it takes, and the
/// field that it fills. A flag that means something else to another command has a row for each.
struct Setting {
  std::vector<Command> commands;
  std::string path;        // "telemetry.interval_s"; empty: not in the file
  std::string flag;        // "--interval"
  std::string value_name;  // "DURATION"; empty for a switch
  std::string help;
  std::variant<std::string*, bool*, int*, double*, std::chrono::milliseconds*> field;
  double min = 0, max = 0;  // for numbers; durations in seconds
  bool live = false;        // can change while `run` runs
};

/// The one table of settings; the fields point into `settings`.
[[nodiscard]] std::vector<Setting> settings_table(Settings& settings);

/// What the setting takes, for people: "a number from 0 to 86400".
[[nodiscard]] std::string expected_by(const Setting& setting);

/// Parses a command line's text into the field. Throws Error(usage) that names the flag.
void set_from_text(const Setting& setting, const std::string& text);

/// Reads a JSON configuration file into `settings`, whole or not at all. Throws Error(configuration):
/// malformed JSON with its line and column; unknown keys, wrong types and values out of range with their
/// path. At most 1 MiB.
void load_config(const std::string& file, Settings& settings);
/// The same from what `file` holds; its name is for the errors alone.
void parse_config(const std::string& text, const std::string& file, Settings& settings);

/// A setting that a configuration file can have, and that another file has otherwise.
struct Change {
  std::string path;   // "telemetry.interval_s"
  std::string value;  // the new one, as JSON
  bool live = false;
};
[[nodiscard]] std::vector<Change> changes(const Settings& before, const Settings& after);

/// The settings as a configuration file has them.
[[nodiscard]] std::string to_config(const Settings& settings);

}  // namespace glimpse
