// What the user has chosen, and who wants to know.

/** Named values; those who watch a name are called when it changes. */
export class State {
  constructor(values) {
    this.values = values;
    this.watchers = new Map();
  }

  get(name) {
    return this.values[name];
  }

  set(name, value) {
    if (this.values[name] === value) return;
    this.values[name] = value;
    for (const act of this.watchers.get(name) ?? []) act();
  }

  toggle(name) {
    this.set(name, !this.values[name]);
  }

  watch(names, act) {
    for (const name of names) this.watchers.set(name, [...(this.watchers.get(name) ?? []), act]);
  }
}
