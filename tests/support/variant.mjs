// What kind of build is under test, and how much longer things may take with it.
export const variant = process.env.MCU_VARIANT ?? 'release';
export const SLOWER = { asan: 3, tsan: 6 }[variant] ?? 1;

// A time limit in ms, for this build.
export const within = (ms) => ms * SLOWER;
