#include "device/machine.hpp"

#include <sys/utsname.h>

#include "catch.hpp"
#include "temp_folder.hpp"

using namespace glimpse;

TEST_CASE("A Raspberry Pi names its board and its system") {
  const TempFolder root;
  root.write("sys/firmware/devicetree/base/model", std::string("Raspberry Pi 5 Model B Rev 1.0\0", 31));
  root.write("etc/os-release", "NAME=\"Debian GNU/Linux\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
  const Machine machine = this_machine(root.path().string());
  CHECK(machine.board == "Raspberry Pi 5 Model B Rev 1.0");
  CHECK(machine.system == "Debian GNU/Linux 12 (bookworm)");
}

TEST_CASE("os-release may quote a value with either quote, or not at all") {
  const auto [line, name] = GENERATE(table<std::string, std::string>({{"PRETTY_NAME='A b'", "A b"},
                                                                      {"PRETTY_NAME=Void", "Void"},
                                                                      {"PRETTY_NAME=\"", "\""},
                                                                      {"PRETTY_NAME=\"A", "\"A"}}));
  const TempFolder root;
  root.write("etc/os-release", line + "\n");
  CHECK(this_machine(root.path().string()).system == name);
}

TEST_CASE("What a machine does not tell is unknown") {
  const TempFolder root;
  root.write("etc/os-release", "PRETTY_NAME=\"\"\nID=debian\n");
  const Machine machine = this_machine(root.path().string());
  CHECK_FALSE(machine.board);
  CHECK_FALSE(machine.system);
}

TEST_CASE("The kernel is named as uname names it") {
  utsname name{};
  REQUIRE(::uname(&name) == 0);
  CHECK(this_machine().kernel == std::string(name.sysname) + " " + name.release + " " + name.machine);
}
