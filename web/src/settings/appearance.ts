/** The theme of meetings: these pages, and apps that ask for it, wear it. */
import { setTheme, theme, type Theme } from "../api/settings";
import { byId, toast } from "../lib/dom";
import { inForm, onSubmit } from "../lib/forms";
import { asUser } from "../lib/session";
import { applyTheme } from "../lib/theme";

type Colour = "backgroundColor" | "surfaceColor" | "primaryColor" | "secondaryColor" | "accentColor";

const COLOURS: readonly Colour[] = ["backgroundColor", "surfaceColor", "primaryColor", "secondaryColor", "accentColor"];
const DEFAULTS: Readonly<Record<Colour, string>> = {
  backgroundColor: "#f5f6f3", surfaceColor: "#ffffff", primaryColor: "#0f766e", secondaryColor: "#586662", accentColor: "#0d9488",
};

/** `<input type="color">` knows six digits only. */
function sixDigits(text: string): string {
  const digits = text.slice(1);
  return `#${digits.length < 6 ? [...digits.slice(0, 3)].map((digit) => digit + digit).join("") : digits.slice(0, 6)}`.toLowerCase();
}

export async function showAppearance(): Promise<void> {
  const enabled = byId<HTMLInputElement>("theme-enabled");
  const base = byId<HTMLSelectElement>("theme-base");
  const stored = await theme(asUser);
  enabled.checked = stored?.enabled ?? false;
  base.value = stored?.baseTheme ?? "light";
  for (const name of COLOURS) byId<HTMLInputElement>(`theme-${name}`).value = sixDigits(stored?.[name] ?? DEFAULTS[name]);
  onSubmit("theme-form", async () => {
    const colours = Object.fromEntries(COLOURS.map((name) => [name, byId<HTMLInputElement>(`theme-${name}`).value]));
    const wanted: Theme = { name: stored?.name ?? "default", enabled: enabled.checked, baseTheme: base.value as Theme["baseTheme"], ...colours };
    const done = await inForm("theme-error", async () => {
      applyTheme(await setTheme(asUser, wanted));
    });
    if (done) toast("Appearance saved");
  });
}
