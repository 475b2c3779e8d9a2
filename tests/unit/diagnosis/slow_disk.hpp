// An SD card as slow as they are: SQLite's reads take their time.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <chrono>
#include <thread>

/// While it lives, each read of inspect_outbox() in this process takes 1 ms longer. One at a time.
class SlowDisk {
 public:
  SlowDisk() {
    below() = sqlite3_vfs_find("unix-none");
    vfs_ = *below();  // of the same name, and before it in SQLite's list
    vfs_.xOpen = open;
    sqlite3_vfs_register(&vfs_, 0);
    reads() = 0;
  }
  ~SlowDisk() { sqlite3_vfs_unregister(&vfs_); }
  SlowDisk(const SlowDisk&) = delete;
  SlowDisk& operator=(const SlowDisk&) = delete;

  static std::atomic<int>& reads() {
    static std::atomic<int> count;
    return count;
  }

 private:
  static sqlite3_vfs*& below() {
    static sqlite3_vfs* vfs;
    return vfs;
  }
  static const sqlite3_io_methods*& real() {
    static const sqlite3_io_methods* methods;
    return methods;
  }
  static int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* got) {
    static sqlite3_io_methods slow;
    const int code = below()->xOpen(below(), name, file, flags, got);
    if (code != SQLITE_OK || (flags & SQLITE_OPEN_MAIN_DB) == 0) return code;
    real() = file->pMethods;
    slow = *real();
    slow.xRead = read;
    file->pMethods = &slow;
    return code;
  }
  static int read(sqlite3_file* file, void* into, int bytes, sqlite3_int64 offset) {
    ++reads();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return real()->xRead(file, into, bytes, offset);
  }

  sqlite3_vfs vfs_{};
};
