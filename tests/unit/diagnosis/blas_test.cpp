#include "catch.hpp"
#include "diagnosis/engines.hpp"
#include "shown.hpp"
#include "temp_folder.hpp"

using namespace glimpse;

namespace {

/// Lines as /proc/self/maps has them on Debian 12.
std::string maps(const std::string& file) {
  return "7f3ff0000000-7f3ff0021000 rw-p 00000000 00:00 0 \n"
         "7f4001c00000-7f4001c22000 r--p 00000000 fe:00 1234                       "
         "/usr/lib/x86_64-linux-gnu/libc.so.6\n"
         "7f4002000000-7f4002001000 r--p 00000000 fe:00 5678                       " +
         file + "\n7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]\n";
}

}  // namespace

TEST_CASE("OpenBLAS is what it should be") {
  const std::string file = "/usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3";
  CHECK(shown(check_blas(maps(file))) == "ok blas: OpenBLAS, " + file);
}

TEST_CASE("The reference BLAS is a warning, with the command for what is installed") {
  const TempFolder root;
  const std::string reference = maps("/usr/lib/aarch64-linux-gnu/blas/libblas.so.3.11.0");
  CHECK(shown(check_blas(reference, root.path())) ==
        "warn blas: the reference BLAS, /usr/lib/aarch64-linux-gnu/blas/libblas.so.3.11.0: LibTorch's float "
        "is about 7 "
        "times slower with it | sudo apt install libopenblas0-pthread");
  root.write("usr/lib/aarch64-linux-gnu/openblas-pthread/libblas.so.3", "");
  CHECK(check_blas(reference, root.path()).remedy ==
        "sudo update-alternatives --set libblas.so.3-aarch64-linux-gnu "
        "/usr/lib/aarch64-linux-gnu/openblas-pthread/libblas.so.3");
}

TEST_CASE("Another BLAS is taken as it is, and none is LibTorch's own") {
  CHECK(shown(check_blas(maps("/usr/lib/x86_64-linux-gnu/blis-pthread/libblas.so.3"))) ==
        "ok blas: /usr/lib/x86_64-linux-gnu/blis-pthread/libblas.so.3");
  CHECK(shown(check_blas(maps("/opt/torch/lib/libtorch_cpu.so"))) ==
        "ok blas: no libblas.so.3 is loaded: LibTorch brings its own");
  CHECK(state(check_blas("")) == "ok");
}

TEST_CASE("A backend that is not in this build is a failure") {
  ClassifierOptions options;
  options.model = GLIMPSE_ROOT "/models/demo";
  options.backend = "abacus";
  const auto list = engine_examinations(options);
  const Check refusal = carry_out(list.back(), {}).front();
  CHECK_THAT(
      shown(refusal),
      ContainsSubstring("fail backend: --backend abacus is not in this build | --backend auto, torch"));
  CHECK(refusal.code == ExitCode::usage);
}

TEST_CASE("A speed is not tried where memory is scarce") {
  const TempFolder root;
  ClassifierOptions options;
  options.model = "/nowhere";  // would throw
  options.backend = "torch";
  root.write("proc/meminfo", "MemTotal: 1048576 kB\nMemAvailable: 307199 kB\n");
  CHECK(shown(check_speed(options, root.path())) == "ok torch float: unknown: not tried, memory is scarce");
  root.write("proc/meminfo", "MemTotal: 1048576 kB\nMemAvailable: 307200 kB\n");
  CHECK_THROWS_AS(check_speed(options, root.path()), Error);
}

TEST_CASE("A backend is needed where it was named, in the form that was asked for; else another one does") {
  ClassifierOptions options;
  options.model = GLIMPSE_ROOT "/models/demo";
  const auto instead_of = [&options](const std::string& name) {
    for (const Examination& examination : engine_examinations(options)) {
      if (examination.name == name) return examination.instead;
    }
    return std::vector<std::string>{"not looked at"};
  };
  using Names = std::vector<std::string>;
  options.backend = "torch";
  CHECK(instead_of("torch float").empty());
  CHECK(instead_of("torch int8") == Names{"torch float"});
  options.quantized = true;
  CHECK(instead_of("torch int8").empty());
  options.backend = "auto";
  CHECK(instead_of("torch float").front() == "torch int8");
  CHECK_FALSE(instead_of("torch int8").empty());
}
