/**
 * The system calls that a container may make, as data. A call is here when it acts on what the process already owns (its files,
 * memory, processes, sockets), or when the kernel checks a capability for it that the container does not have anyway.
 * Left out are the calls that reach around namespaces or into the kernel: mounts, new namespaces, modules, keyrings, bpf, io_uring.
 * seccomp.ts makes the rules of a profile from it.
 */

/** Allowed whatever the container is. By subject, in one line a group of things that belong together. */
export const alwaysAllowed: readonly string[] = `
  open openat openat2 creat close close_range dup dup2 dup3 fcntl fcntl64 ioctl flock
  read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2 lseek _llseek readahead
  sendfile sendfile64 splice tee vmsplice copy_file_range
  truncate truncate64 ftruncate ftruncate64 fallocate fadvise64 fadvise64_64
  fsync fdatasync sync syncfs sync_file_range
  access faccessat faccessat2 stat stat64 lstat lstat64 fstat fstat64 fstatat64 newfstatat statx
  statfs statfs64 fstatfs fstatfs64 name_to_handle_at
  getcwd chdir fchdir mkdir mkdirat rmdir getdents getdents64 link linkat unlink unlinkat symlink symlinkat readlink readlinkat
  rename renameat renameat2 mknod mknodat umask
  chmod fchmod fchmodat chown chown32 fchown fchown32 lchown lchown32 fchownat
  utime utimes futimesat utimensat utimensat_time64
  getxattr lgetxattr fgetxattr setxattr lsetxattr fsetxattr listxattr llistxattr flistxattr
  removexattr lremovexattr fremovexattr
  inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark

  brk mmap mmap2 munmap mremap mprotect madvise msync mincore remap_file_pages
  mlock mlock2 mlockall munlock munlockall membarrier
  memfd_create memfd_secret pkey_alloc pkey_free pkey_mprotect

  fork vfork execve execveat exit exit_group wait4 waitid waitpid
  getpid getppid gettid getpgid getpgrp setpgid getsid setsid set_tid_address
  set_thread_area get_thread_area set_robust_list get_robust_list rseq
  futex futex_time64 futex_waitv prctl seccomp
  landlock_create_ruleset landlock_add_rule landlock_restrict_self
  pidfd_open pidfd_send_signal process_mrelease
  getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32
  getresuid getresuid32 getresgid getresgid32 getgroups getgroups32 capget
  setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32
  setresuid setresuid32 setresgid setresgid32 setfsuid setfsuid32 setfsgid setfsgid32 setgroups setgroups32 capset
  getrlimit ugetrlimit setrlimit prlimit64 getrusage getpriority setpriority ioprio_get ioprio_set
  sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam sched_setparam
  sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min
  sched_rr_get_interval sched_rr_get_interval_time64 getcpu

  kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo sigaltstack sigprocmask sigreturn
  rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64
  signalfd signalfd4 pause restart_syscall

  poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 eventfd eventfd2
  epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_wait epoll_wait_old epoll_pwait epoll_pwait2
  io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64

  pipe pipe2 ipc msgget msgctl msgsnd msgrcv semget semctl semop semtimedop semtimedop_time64 shmget shmat shmdt shmctl
  mq_open mq_unlink mq_notify mq_getsetattr mq_timedsend mq_timedsend_time64 mq_timedreceive mq_timedreceive_time64
  socketpair socketcall bind listen accept accept4 connect shutdown getsockname getpeername getsockopt setsockopt
  send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64

  time times gettimeofday nanosleep clock_nanosleep clock_nanosleep_time64 alarm getitimer setitimer
  clock_gettime clock_gettime64 clock_getres clock_getres_time64 adjtimex clock_adjtime clock_adjtime64
  timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64
  timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64
  uname sysinfo getrandom
`
  .trim()
  .split(/\s+/);

/**
 * OCI's architecture of the process, by Node's name for it, with the 32-bit one that its kernel also runs. Each is compiled into the
 * filter at every start (5 ms): x32 is left out, because kernels are built without it or have it switched off.
 */
export const architectures: Readonly<Record<string, readonly string[]>> = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
};

/** Without `arch_prctl` no program starts on x86-64: its C library sets the thread's %fs base by it. */
export const allowedByArchitecture: Readonly<Record<string, readonly string[]>> = {
  x64: ['arch_prctl', 'modify_ldt'],
  arm64: ['arm_fadvise64_64', 'arm_sync_file_range', 'sync_file_range2', 'breakpoint', 'cacheflush', 'set_tls'],
};

/** Allowed from this kernel on: before 4.8 a traced process could slip past its filter. */
export const allowedSinceKernel: readonly {
  readonly major: number;
  readonly minor: number;
  readonly names: readonly string[];
}[] = [{ major: 4, minor: 8, names: ['ptrace', 'process_vm_readv', 'process_vm_writev'] }];

/** Allowed to a container that has the capability. */
export const allowedByCapability: Readonly<Record<string, readonly string[]>> = {
  CAP_SYS_CHROOT: ['chroot'],
};

/** `personality` may only ask (0xffffffff), and choose Linux (0), LINUX32 (8), and both with UNAME26 (0x20000). */
export const allowedPersonalities: readonly number[] = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];

/** AF_VSOCK: reaches the hypervisor past every network rule. */
export const refusedSocketFamily = 40;

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET: a clone with any of them makes a namespace. */
export const cloneNamespaceFlags = 0x7e020000;
