"""What runs by the clock: beat reads it, and so does the demo's background thread.

Name → task and seconds between runs. Every task is safe to run twice at once.
"""

from typing import Any

SCHEDULE: dict[str, dict[str, Any]] = {
    name: {"task": task, "schedule": float(seconds)}
    for name, task, seconds in (
        ("relay the outbox", "apps.core.tasks.relay_outbox", 60),
        ("purge edge caches", "apps.core.tasks.purge_edge_caches", 60),
        ("seal the audit log", "apps.core.tasks.seal_audit", 60),
        ("look at the encryption key", "apps.core.tasks.note_encryption_key", 3600),
        ("prune", "apps.core.tasks.prune", 3600),
        ("prune tokens", "apps.accounts.tasks.prune_tokens", 3600),
        ("bill API keys", "apps.accounts.tasks.close_months", 3600),
        ("forget people", "apps.customers.tasks.run_erasures", 3600),
        ("write copies of people's data", "apps.customers.tasks.run_exports", 3600),
        ("delete what has had its time", "apps.customers.tasks.apply_terms", 24 * 3600),
        ("send due notifications", "apps.notifications.tasks.send_due", 60),
        ("refresh segments", "apps.customers.tasks.refresh_segments", 900),
        ("release expired holds", "apps.inventory.tasks.release_expired_holds", 60),
        ("alert low stock", "apps.inventory.tasks.alert_low_stock", 3600),
        ("cancel unpaid orders", "apps.orders.tasks.cancel_expired", 60),
        ("apply order rules", "apps.orders.tasks.apply_rules", 60),
        ("expire approvals", "apps.orders.tasks.expire_approvals", 3600),
        ("run bulk changes", "apps.orders.tasks.run_bulk", 60),
        ("export orders", "apps.orders.tasks.run_exports", 60),
        ("remove old order exports", "apps.orders.tasks.prune_exports", 3600),
        ("reconcile payments", "apps.payments.tasks.reconcile", 120),
        # Each payment once a night; the hours between go on with what is left.
        ("compare payments with gateways", "apps.payments.tasks.compare_payments", 3600),
        ("import payouts", "apps.payments.tasks.import_payouts", 24 * 3600),
        ("probe gateways", "apps.payments.tasks.probe_gateways", 60),
        ("close pay links", "apps.payments.tasks.close_pay_links", 300),
        ("expire gift cards", "apps.payments.tasks.expire_gift_cards", 3600),
        ("process provider events", "apps.payments.tasks.process_events", 60),
        ("reconcile labels", "apps.fulfillment.tasks.reconcile_labels", 120),
        ("make papers", "apps.fulfillment.tasks.run_print_jobs", 60),
        ("track parcels", "apps.fulfillment.tasks.track_parcels", 600),
        ("refresh scheduled listings", "apps.storefront.tasks.refresh_scheduled", 60),
        ("count what sells", "apps.storefront.tasks.refresh_popularity", 6 * 3600),
        ("relate products", "apps.storefront.tasks.relate_products", 24 * 3600),
        ("count search terms", "apps.storefront.tasks.count_terms", 6 * 3600),
        ("prune counted searches", "apps.storefront.tasks.prune_searches", 24 * 3600),
        ("remove abandoned carts", "apps.checkout.tasks.cleanup_carts", 3600),
        ("fetch pending images", "apps.products.tasks.fetch_pending_images", 60),
        ("process review photos", "apps.reviews.tasks.process_photos", 60),
        ("remove unused review photos", "apps.reviews.tasks.prune_uploads", 3600),
        ("process photos of returns", "apps.returns.tasks.process_photos", 60),
        ("remove old photos of returns", "apps.returns.tasks.prune_photos", 3600),
        ("reconcile return labels", "apps.returns.tasks.reconcile_labels", 120),
        ("track returns", "apps.returns.tasks.track_returns", 600),
        ("ask for reviews", "apps.reviews.tasks.invite_buyers", 3600),
        ("issue missing invoices", "apps.invoices.tasks.issue_missing", 24 * 3600),
        ("remove old batches of invoices", "apps.invoices.tasks.prune_batches", 24 * 3600),
        ("forget harmless checkouts", "apps.fraud.tasks.forget_harmless", 24 * 3600),
        # Asks the bank only once its rates are due: about 16:30 in Frankfurt, on working days.
        ("fetch exchange rates", "apps.stores.tasks.fetch_rates", 1800),
        ("tell who waits", "apps.wishlists.tasks.tell_due", 300),
        ("forget alerts", "apps.wishlists.tasks.prune_alerts", 24 * 3600),
        ("tell webhooks", "apps.webhooks.tasks.sweep", 60),
        ("forget webhook deliveries", "apps.webhooks.tasks.prune", 24 * 3600),
        ("run pending imports", "apps.integrations.tasks.run_pending", 60),
    )
}
