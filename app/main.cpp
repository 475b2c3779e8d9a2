#include <clocale>
#include <cstdio>
#include <exception>
#include <functional>

#include "commands/bench.hpp"
#include "commands/doctor.hpp"
#include "commands/eval.hpp"
#include "commands/provision.hpp"
#include "commands/run.hpp"
#include "config/command_line.hpp"
#include "core/error.hpp"
#include "core/shutdown.hpp"
#include "core/text.hpp"
#include "view/log.hpp"

namespace {

int complain(const char* what, glimpse::ExitCode code) {
  std::fprintf(stderr, "%s%s\n", glimpse::complaint_prefix(), glimpse::escape_control(what).c_str());
  return static_cast<int>(code);
}

int carry_out(const glimpse::CommandLine& line, const std::function<glimpse::Settings()>& reread,
              glimpse::Shutdown& shutdown) {
  switch (line.command) {
    case glimpse::Command::run:
      return glimpse::run(line.settings, line.config_file.empty() ? nullptr : reread, shutdown);
    case glimpse::Command::eval:
      return glimpse::eval(line.settings, shutdown);
    case glimpse::Command::bench:
      return glimpse::bench(line.settings, shutdown);
    case glimpse::Command::doctor:
      return glimpse::doctor(line.settings, shutdown);
    case glimpse::Command::provision:
      return glimpse::provision(line.settings, shutdown);
  }
  return static_cast<int>(glimpse::ExitCode::internal);
}

}  // namespace

int main(int argc, char** argv) {
  std::setlocale(LC_CTYPE, "C.UTF-8");  // how wide a character is on the terminal
  try {
    const glimpse::CommandLine line = glimpse::parse_command_line(argc, argv);
    if (!line.text.empty()) return std::fputs(line.text.c_str(), stdout) < 0 ? 1 : 0;
    glimpse::Shutdown shutdown;
    glimpse::start_log();
    const auto reread = [&] { return glimpse::parse_command_line(argc, argv).settings; };
    return carry_out(line, reread, shutdown);
  } catch (const glimpse::Error& error) {
    return complain(error.what(), error.code());
  } catch (const std::exception& error) {
    return complain(error.what(), glimpse::ExitCode::internal);
  }
}
