#include "device/sealed_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include "core/error.hpp"

namespace glimpse {
namespace {

// Linux 6.3: never executable, which a hardened system (vm.memfd_noexec=2) demands and an older kernel
// refuses.
constexpr unsigned int noexec_seal = 0x0008;

int make_memfd() {
  constexpr unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const int file = memfd_create("glimpse", flags | noexec_seal);
  return file < 0 && errno == EINVAL ? memfd_create("glimpse", flags) : file;
}

bool write_all(int file, const Secret& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t wrote = write(file, bytes.data() + done, bytes.size() - done);
    if (wrote <= 0) return false;
    done += static_cast<std::size_t>(wrote);
  }
  return true;
}

}  // namespace

SealedFile::SealedFile(const Secret& bytes) : file_(make_memfd()) {
  if (file_.get() < 0 || !write_all(file_.get(), bytes) || fchmod(file_.get(), S_IRUSR) != 0 ||
      fcntl(file_.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
    throw Error(ExitCode::internal, "no memory file for keys and certificates (memfd_create): " +
                                        std::generic_category().message(errno) +
                                        "; check the limits on memory and open files");
  }
}

}  // namespace glimpse
