#include "installation/model_archive.hpp"

#include "catch.hpp"
#include "installation/download.hpp"
#include "support.hpp"

using namespace glimpse;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t limit = 1 << 20;

struct Unpacked {
  TempFolder folder;
  UnpackedModel model;
  std::string reason;

  explicit Unpacked(const std::string& name, std::uint64_t max_bytes = limit) {
    fs::create_directory(inside());
    try {
      model = unpack_model(archives() / name, inside(), max_bytes, {});
    } catch (const InstallError& error) {
      reason = error.what();
    }
  }
  [[nodiscard]] fs::path inside() const { return folder.path() / "inside"; }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(folder.path()))
      all.push_back(fs::relative(entry.path(), folder.path()));
    std::sort(all.begin(), all.end());
    return all;
  }
};

const std::vector<std::string> whole{"inside", "inside/float.pt", "inside/int8.pt", "inside/manifest.json"};

}  // namespace

TEST_CASE("a model is unpacked, whoever wrote the tar and wherever in it the files stand") {
  const std::string name =
      GENERATE("good.tar", "good.tar.gz", "folder.tar", "dot.tar", "dot_folder.tar", "gnu.tar", "ustar.tar");
  const Unpacked it(name);
  INFO(name);
  CHECK(it.reason.empty());
  CHECK(it.model.has_float);
  CHECK(it.model.has_int8);
  CHECK(it.names() == whole);
  std::string expected;
  for (int i = 0; i < 1000; ++i) expected += "float";
  CHECK(bytes_of(it.inside() / "float.pt") == expected);
  CHECK((fs::status(it.inside() / "float.pt").permissions() & fs::perms::all) == fs::perms(0600));
}

TEST_CASE("one form is enough") {
  CHECK(Unpacked("float.tar").model.has_float);
  CHECK_FALSE(Unpacked("float.tar").model.has_int8);
  CHECK(Unpacked("int8.tar").model.has_int8);
}

TEST_CASE("whatever stands in an archive, nothing but the three files is written, and nothing elsewhere") {
  struct Bad {
    const char* file;
    const char* reason;
  };
  const Bad bad = GENERATE(values<Bad>({
      {"parent.tar", "the archive has '../float.pt'"},
      {"parent_folder.tar", "the archive has '../manifest.json'"},
      {"absolute.tar", "the archive has '/manifest.json'"},
      {"deep.tar", "the archive has 'a/b/manifest.json'"},
      {"inside_out.tar", "the archive has 'a/../manifest.json'"},
      {"two_folders.tar", "the archive has 'b/float.pt'"},
      {"other_file.tar", "the archive has 'run.sh'"},
      {"other_folder.tar", "the archive has '../'"},
      {"newline.tar", "the archive has 'a\\x0ab'"},
      {"folder_named_so.tar", "the archive has 'a/float.pt"},
      {"symlink.tar", "'float.pt' is a link or a device, no file"},
      {"hardlink.tar", "'float.pt' is a link or a device, no file"},
      {"device.tar", "'float.pt' is a link or a device, no file"},
      {"fifo.tar", "'float.pt' is a link or a device, no file"},
      {"twice.tar", "the archive has float.pt twice"},
      {"no_manifest.tar", "the archive has no manifest.json"},
      {"no_model.tar", "the archive has neither float.pt nor int8.pt"},
      {"empty.tar", "the archive has no manifest.json"},
      {"nothing.tar", "no tar archive"},
      {"noise.tar", "no tar archive"},
      {"zip.tar", "no tar archive"},
      {"damaged.tar", "no tar archive"},
      {"truncated.tar", "the archive is damaged"},
      {"truncated.tar.gz", "no tar archive, or damaged"},
      {"zeros.tar.gz", "more than 1 GiB"},
      {"huge.tar", "the archive"},
      {"missing.tar", "no tar archive"},
  }));
  const Unpacked it(bad.file);
  INFO(bad.file);
  CHECK_THAT(it.reason, ContainsSubstring(bad.reason));
  CHECK(it.reason.find('\n') == std::string::npos);
  for (const std::string& name : it.names())
    CHECK(std::find(whole.begin(), whole.end(), name) != whole.end());
  CHECK_FALSE(fs::is_symlink(it.inside() / "float.pt"));
}

TEST_CASE("an archive may hold as much as is allowed, and not a byte more") {
  const auto size = fs::file_size(archives() / "good.tar");  // of the files: 9,000 bytes and the manifest
  const std::uint64_t all = 9000 + bytes_of(archives() / "good.tar").find('\0', 512) - 512;
  REQUIRE(size > all);
  CHECK(Unpacked("good.tar", all).reason.empty());
  CHECK_THAT(Unpacked("good.tar", all - 1).reason, ContainsSubstring("more than 1 GiB"));
}

TEST_CASE("unpacking ends when it is to end") {
  const TempFolder folder;
  std::stop_source stop;
  stop.request_stop();
  CHECK_THROWS_AS(unpack_model(archives() / "good.tar", folder.path(), limit, stop.get_token()),
                  InstallStopped);
}
