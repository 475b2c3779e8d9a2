#include "config/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"

namespace glimpse {
namespace {

struct CommandHelp {
  Command command;
  const char* name;
  const char* what;
  const char* footer;
};

constexpr CommandHelp commands[] = {
    {Command::run, "run", "Classify the frames of a source until it ends or you stop it.", R"(
Examples:
  glimpse run --source 0                                 a USB camera, results on the terminal
  glimpse run --source csi --quantized                   a Raspberry Pi camera, the int8 model
  glimpse run --source clip.mp4 --interval 0 --json      every frame of a file as JSON
  glimpse run --config .local/broker/glimpse.json        settings from a file, e.g. that of scripts/broker.sh

Exit: 0 done, 64 usage, 65 bad model or data, 66 no such source, 69 no such address for --web, 70 internal,
77 credentials, 78 configuration.)"},
    {Command::eval, "eval", "Tell how often a model is right on labelled pictures, float and int8.", R"(
Examples:
  glimpse eval --images photos --labels photos/labels.csv         one CSV names what each picture shows
  glimpse eval --images photos --model mobilenet_v2               a folder for each class: photos/banana/1.jpg
  glimpse eval --images photos --labels photos/labels.csv --json  for programs

Exit: 0 done, 64 usage, 65 bad model or data, 66 no such folder or CSV, 70 internal, 130 stopped before the end.)"},
    {Command::bench, "bench", "Tell how fast a model is on this machine, float and int8, on each backend.",
     R"(
Examples:
  glimpse bench                              every combination on one still picture
  glimpse bench --source clip.mp4            the whole way: decode, preprocess, network
  glimpse bench --threads 4 --rounds 5 --json

Exit: 0 done, 64 usage, 65 bad model or data, 66 no such source, 70 internal, 130 stopped before the end.)"},
    {Command::doctor, "doctor", "Tell what is wrong on this machine for a run, and how to mend it.", R"(
Each check is a line: ok, warn or fail. What is not needed here, or cannot be known, is ok and says so. Give it what you give run.

Examples:
  glimpse doctor                                         machine, cameras, models, engines
  glimpse doctor --source csi --quantized                what a run with these would need
  glimpse doctor --config .local/broker/glimpse.json     and the way to the broker
  glimpse doctor --json                                  for programs
  sudo -u glimpse glimpse doctor --config /etc/glimpse/glimpse.json --state /var/lib/glimpse      as the service

Exit: 0 nothing failed, else what the first failure stands for: 64 settings, 65 model or data, 66 source, 69 broker,
70 internal, 77 credentials, 78 state folder or configuration; 130 stopped before the end.)"},
    {Command::provision, "provision",
     "Exchange a claim certificate for one of this device's own at AWS IoT Core, once.", R"(
Examples:
  glimpse provision --claim-cert claim.crt --claim-key claim.key --template fleet --broker mqtts://ENDPOINT
  glimpse run --config ~/.local/state/glimpse/identity/glimpse.json --source 0      then runs as it

It can be stopped, killed and run again at any time. What it made is used until you delete the folder identity.

Exit: 0 done, now or before, 64 usage, 65 an answer that is none, 69 no answer, 77 claim, template or certificate refused,
78 state folder, 130 stopped before the end.)"},
};

/// A flag as it was given; applied after the configuration file.
struct Given {
  const Setting* setting;
  std::string text;
};

void add_setting(CLI::App& app, const Setting& setting, std::vector<Given>& given) {
  if (setting.value_name.empty()) {
    app.add_flag_callback(
        setting.flag,
        [&] {
          given.push_back({&setting, ""});
        },
        setting.help);
  } else {
    app.add_option_function<std::string>(
           setting.flag,
           [&](const std::string& text) {
             given.push_back({&setting, text});
           },
           setting.help)
        ->type_name(setting.value_name);
  }
}

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv) {
  CommandLine line;
  CLI::App app("Watch a camera, name what it sees, report it over MQTT.", "glimpse");
  app.set_version_flag("--version", "glimpse " GLIMPSE_VERSION);
  app.require_subcommand(1);

  std::vector<Given> given;
  bool print_config = false;
  const std::vector<Setting> table = settings_table(line.settings);
  for (const CommandHelp& help : commands) {
    CLI::App* const command = app.add_subcommand(help.name, help.what);
    command->footer(help.footer);
    for (const Setting& setting : table) {
      const auto& whose = setting.commands;
      if (std::find(whose.begin(), whose.end(), help.command) != whose.end()) {
        add_setting(*command, setting, given);
      }
    }
    command->callback([&line, &help] { line.command = help.command; });
  }
  CLI::App* const run = app.get_subcommand("run");
  for (CLI::App* const command : {run, app.get_subcommand("doctor")}) {
    command
        ->add_option("--config", line.config_file,
                     "read settings from a JSON file; the command line overrides it")
        ->type_name("FILE");
  }
  run->add_flag("--print-config", print_config,
                "print the settings as a configuration file has them, and end");

  const auto named = [&] {
    const auto parsed = app.get_subcommands();
    return parsed.empty() ? &app : parsed.front();
  };
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForVersion&) {
    line.text = "glimpse " GLIMPSE_VERSION "\n";
    return line;
  } catch (const CLI::CallForHelp&) {
    line.text = named()->help();
    return line;
  } catch (const CLI::ParseError& error) {
    throw Error(ExitCode::usage, escape_control(error.what()) + "; see glimpse " +
                                     (named() == &app ? "" : named()->get_name() + " ") + "--help");
  }
  if (line.command == Command::doctor) line.settings.source.uri.clear();  // what nobody named may be missing
  if (!line.config_file.empty()) load_config(line.config_file, line.settings);
  for (const auto& [setting, text] : given) set_from_text(*setting, text);
  if (print_config) line.text = to_config(line.settings) + "\n";
  return line;
}

}  // namespace glimpse
