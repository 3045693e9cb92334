/** The engine's worker with a GPU that can be taken from it, for tests. Plain JavaScript, served as it is. */

const { requestDevice } = GPUAdapter.prototype;
let device;
GPUAdapter.prototype.requestDevice = async function (...options) {
  device = await requestDevice.apply(this, options);
  return device;
};
addEventListener("message", (event) => {
  if (event.data.kind !== "lose") return;
  event.stopImmediatePropagation(); // the worker knows nothing of it
  device.destroy();
});
await import("./worker.js");
