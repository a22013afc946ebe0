import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const DAYS = ['-days', '2'];
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Made anew for a test run: an authority, what it issued to `127.0.0.1`, and an authority that issued nothing. */
export class Certificates {
  private readonly dir = mkdtempSync(join(tmpdir(), 'loopws-tls-'));
  readonly authority = this.path('ca.crt');
  readonly certificate = this.path('redis.crt');
  readonly key = this.path('redis.key');

  constructor() {
    this.makeAuthority('ca');
    this.makeAuthority('other');
    const subject = ['-subj', '/CN=redis', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const issuer = ['-CA', this.authority, '-CAkey', this.path('ca.key')];
    openssl('req', '-x509', ...KEY, ...DAYS, ...subject, ...issuer, ...this.out('redis'));
  }

  /** Text of the authority that a client has to trust. */
  get trusted(): string {
    return readFileSync(this.authority, 'utf8');
  }

  get foreign(): string {
    return readFileSync(this.path('other.crt'), 'utf8');
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  private makeAuthority(name: string): void {
    openssl('req', '-x509', ...KEY, ...DAYS, '-subj', `/CN=${name}`, ...this.out(name));
  }

  private out(name: string): string[] {
    return ['-keyout', this.path(`${name}.key`), '-out', this.path(`${name}.crt`)];
  }

  private path(file: string): string {
    return join(this.dir, file);
  }
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}
