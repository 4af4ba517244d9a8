<?php
/**
 * Tells me-status whose billing records changed, so that it reads them again within seconds.
 *
 * Put this one file into WHMCS's includes/hooks/ and add to configuration.php:
 *
 *     define('ME_STATUS_URL', 'https://me-status.example.com');
 *     define('ME_STATUS_HOOK_SECRET', 'whsec_...');  // the value of ME_STATUS_HOOK_SECRET
 *
 * Sent are client ids alone, in one POST per request of WHMCS, at its very end, and after the answer where PHP can
 * (FPM, LiteSpeed). It takes a second at most and fails in silence: what is lost, the next scheduled pull finds.
 * No hook tells of pay methods without card data; there the portal asks for a refresh itself.
 */

if (!defined('WHMCS')) {
    return;
}

final class MeStatusHint
{
    const MOST_IDS = 200;
    const EVENTS = [
        'InvoiceCreation', 'InvoiceCreated', 'InvoicePaid', 'InvoiceUnpaid', 'InvoiceCancelled', 'InvoiceRefunded',
        'AddTransaction',
        'AfterModuleCreate', 'AfterModuleSuspend', 'AfterModuleUnsuspend', 'AfterModuleTerminate',
        'CancellationRequest', 'ClientEdit', 'AfterClientMerge',
    ];

    private static $clients = [];
    private static $invoices = [];
    private static $isAwaited = false;

    /** Keeps the ids of an event; sends nothing yet. Says nothing to WHMCS, whatever happens. */
    public static function note($vars)
    {
        try {
            $service = isset($vars['params']) && is_array($vars['params']) ? $vars['params'] : [];
            $clients = [];
            foreach ([[$vars, 'userid'], [$vars, 'toUserID'], [$vars, 'fromUserID'], [$service, 'userid']] as $place) {
                $clients[] = self::id($place[0], $place[1]);
            }
            $clients = array_filter($clients);
            self::$clients += array_combine($clients, $clients);
            $invoice = $clients ? 0 : self::id($vars, 'invoiceid');
            if ($invoice) {
                self::$invoices[$invoice] = $invoice;
            }
            if (!self::$isAwaited) {
                self::$isAwaited = true;
                // Registered once more while shutting down: so it comes after everything WHMCS itself does there.
                register_shutdown_function(function () {
                    register_shutdown_function([self::class, 'send']);
                });
            }
        } catch (\Throwable $fault) {
            return;
        }
    }

    /** The one POST of this request. */
    public static function send()
    {
        try {
            $secret = self::setting('ME_STATUS_HOOK_SECRET');
            $address = self::setting('ME_STATUS_URL');
            if ($secret === '' || $address === '' || !function_exists('curl_init')) {
                return;
            }
            self::endAnswer();
            $clients = array_slice(array_values(self::$clients + self::clientsOfInvoices()), 0, self::MOST_IDS);
            if ($clients) {
                self::post(rtrim($address, '/') . '/hooks/whmcs', json_encode(['clientIds' => $clients]), $secret);
            }
        } catch (\Throwable $fault) {
            return;
        }
    }

    private static function id($vars, $name)
    {
        return isset($vars[$name]) && is_numeric($vars[$name]) ? max(0, (int) $vars[$name]) : 0;
    }

    private static function setting($name)
    {
        return defined($name) ? (string) constant($name) : (string) getenv($name);
    }

    private static function endAnswer()
    {
        if (session_status() === PHP_SESSION_ACTIVE) {
            session_write_close();  // else the client's next page waits for this one's lock
        }
        foreach (['fastcgi_finish_request', 'litespeed_finish_request'] as $end) {
            if (function_exists($end)) {
                $end();
                return;
            }
        }
    }

    /** Most hooks of invoices name the invoice alone: whose they are, in one query. */
    private static function clientsOfInvoices()
    {
        try {
            $invoices = array_slice(array_values(self::$invoices), 0, self::MOST_IDS);
            if (!$invoices) {
                return [];
            }
            $found = \WHMCS\Database\Capsule::table('tblinvoices')->whereIn('id', $invoices)->pluck('userid');
            $clients = [];
            foreach ($found as $client) {
                $clients[(int) $client] = (int) $client;
            }
            return $clients;
        } catch (\Throwable $fault) {
            return [];
        }
    }

    /** Signed as https://www.standardwebhooks.com says. */
    private static function post($address, $body, $secret)
    {
        $id = 'msg_' . bin2hex(random_bytes(16));
        $time = time();
        $key = base64_decode(substr($secret, strlen('whsec_')));
        $signature = base64_encode(hash_hmac('sha256', "$id.$time.$body", $key, true));
        $call = curl_init($address);
        curl_setopt_array($call, [
            CURLOPT_POSTFIELDS => $body,
            CURLOPT_HTTPHEADER => [
                'Content-Type: application/json',
                'Expect:',
                "webhook-id: $id",
                "webhook-timestamp: $time",
                "webhook-signature: v1,$signature",
            ],
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_NOSIGNAL => true,  // without it, libcurl takes no limit below a second
            CURLOPT_TIMEOUT_MS => 1000,
        ]);
        curl_exec($call);
    }
}

foreach (MeStatusHint::EVENTS as $event) {
    add_hook($event, 1, function ($vars) {
        MeStatusHint::note($vars);
    });
}
