from django.urls import path

from guestbook import views

urlpatterns = [
    path("", views.entries, name="entries"),
    path("entries.json", views.entries_json, name="entries-json"),
    path("healthz", views.healthz),
]
