#include "config/command_line.hpp"

#include <CLI/CLI.hpp>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"

namespace glimpse {
namespace {

constexpr const char* examples = R"(
Examples:
  glimpse run --source 0                                 a USB camera, results on the terminal
  glimpse run --source csi --quantized                   a Raspberry Pi camera, the int8 model
  glimpse run --source clip.mp4 --interval 0 --json      every frame of a file as JSON
  glimpse run --config .local/broker/glimpse.json        settings from a file, e.g. that of scripts/broker.sh

Exit: 0 done, 64 usage, 65 bad model or data, 66 no such source, 70 internal, 77 credentials, 78 configuration.)";

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv) {
  CommandLine line;
  CLI::App app("Watch a camera, name what it sees, report it over MQTT.", "glimpse");
  app.set_version_flag("--version", "glimpse " GLIMPSE_VERSION);
  app.require_subcommand(1);
  CLI::App* const run =
      app.add_subcommand("run", "Classify the frames of a source until it ends or you stop it.");
  run->footer(examples);

  std::vector<std::pair<const Setting*, std::string>> given;  // applied after the configuration file
  std::string config_file;
  bool print_config = false;
  const std::vector<Setting> table = settings_table(line.settings);
  for (const Setting& setting : table) {
    if (setting.value_name.empty()) {
      run->add_flag_callback(
          setting.flag, [&, s = &setting] { given.emplace_back(s, ""); }, setting.help);
    } else {
      run->add_option_function<std::string>(
             setting.flag, [&, s = &setting](const std::string& text) { given.emplace_back(s, text); },
             setting.help)
          ->type_name(setting.value_name);
    }
  }
  run->add_option("--config", config_file, "read settings from a JSON file; the command line overrides it")
      ->type_name("FILE");
  run->add_flag("--print-config", print_config,
                "print the settings as a configuration file has them, and end");

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForVersion&) {
    line.text = "glimpse " GLIMPSE_VERSION "\n";
    return line;
  } catch (const CLI::CallForHelp&) {
    line.text = (run->parsed() ? run : &app)->help();
    return line;
  } catch (const CLI::ParseError& error) {
    throw Error(ExitCode::usage,
                escape_control(error.what()) + "; see glimpse " + (run->parsed() ? "run " : "") + "--help");
  }
  if (!config_file.empty()) load_config(config_file, line.settings);
  for (const auto& [setting, text] : given) set_from_text(*setting, text);
  if (print_config) line.text = to_config(line.settings) + "\n";
  return line;
}

}  // namespace glimpse
