/** Go on to a web page, and to nothing else that an address can name. False when it is none. */
export function redirect(address: string | null): boolean {
  if (!address) return false;
  let url: URL;
  try {
    url = new URL(address, location.href);
  } catch {
    return false;
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return false;
  location.assign(url.href);
  return true;
}
